-- Asks for one path again and again; or, each time as another client, for those of READ_PATHS one after another; or
-- posts the bodies in the file ASK_BODIES, a line each, one after another.
local listed, bodies = os.getenv "READ_PATHS", os.getenv "ASK_BODIES"
local asked, number = {}, 0

local function next_asked()
  number = number + 1
  return asked[number % #asked + 1]
end

if listed then
  for path in string.gmatch(listed, "%S+") do asked[#asked + 1] = path end

  function request()
    local path = next_asked()
    local address = string.format("10.%d.%d.%d", math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
    return wrk.format("GET", path, { ["X-Forwarded-For"] = address })
  end
elseif bodies then
  for line in io.lines(bodies) do asked[#asked + 1] = line end
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv "ASK_KEY" }

  function request()
    return wrk.format("POST", nil, headers, next_asked())
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
