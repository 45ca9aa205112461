-- Posts the bodies in the file ASK_BODIES, a line each, one after another.
local bodies, number = {}, 0
for line in io.lines(os.getenv "ASK_BODIES") do bodies[#bodies + 1] = line end
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv "ASK_KEY" }

function request()
  number = number + 1
  return wrk.format("POST", nil, headers, bodies[number % #bodies + 1])
end

function done(summary, latency)
  local broken = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "refused": %d, "broken": %d, "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.duration / 1000000, summary.requests,
    broken.status, broken.connect + broken.read + broken.write + broken.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
