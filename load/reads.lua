-- What lookers ask for, one after another: pages of a search, a ticket, its calendar.
local paths = {}
for path in string.gmatch(os.getenv "READ_PATHS", "%S+") do paths[#paths + 1] = path end
local number = 0

function request()
  number = number + 1
  local address = string.format("10.%d.%d.%d", math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
  return wrk.format("GET", paths[number % #paths + 1], { ["X-Forwarded-For"] = address })
end

function done(summary, latency)
  local broken = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "broken": %d, "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.duration / 1000000, summary.requests,
    broken.connect + broken.read + broken.write + broken.timeout + broken.status,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
