-- Asks for one path again and again; or, each time as another client, for those of READ_PATHS one after another.
local listed = os.getenv "READ_PATHS"

if listed then
  local paths, number = {}, 0
  for path in string.gmatch(listed, "%S+") do paths[#paths + 1] = path end

  function request()
    number = number + 1
    local address = string.format("10.%d.%d.%d", math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
    return wrk.format("GET", paths[number % #paths + 1], { ["X-Forwarded-For"] = address })
  end
end

function done(summary, latency)
  local broken = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "refused": %d, "broken": %d, "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.duration / 1000000, summary.requests,
    broken.status, broken.connect + broken.read + broken.write + broken.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
