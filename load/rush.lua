-- A given number of bookings as fast as the connections take them, each by another guest at another address.
-- Ends by itself when all are answered; else wrk ends it, and what is missing was not answered.
local ffi = require "ffi"
ffi.cdef [[ typedef struct { long seconds; long microseconds; } moment; int gettimeofday(moment *, void *); ]]

local run = os.getenv "RUSH_RUN"
local all = tonumber(os.getenv "RUSH_BOOKINGS")
local slot, unit = os.getenv "RUSH_SLOT", os.getenv "RUSH_UNIT"

local clock = ffi.new "moment"
local reserved, number, begun = 0, 0, {}
-- Read by done() through the thread.
answered, created, sold_out, unavailable, other, first_other = 0, 0, 0, 0, 0, ""
first, last, times = 0, 0, {}
local body = '{"items":[{"slotId":"%s","units":[{"unitId":"%s","quantity":1}]}],' ..
  '"customer":{"name":"Guest %d","email":"rush-%d-%s@example.com","language":"en"}}'

local function now()
  ffi.C.gettimeofday(clock, nil)
  return tonumber(clock.seconds) * 1000000 + tonumber(clock.microseconds)
end

-- wrk asks before each request how long to wait: the connections that are left over wait beyond the end.
function delay()
  if reserved == all then return 3600000 end
  reserved = reserved + 1
  return 0
end

function request()
  number = number + 1
  local id = string.format("%s-%08d", run, number)
  begun[id] = now()
  -- wrk has one request made before the run, to look at it.
  if first == 0 and reserved > 0 then first = begun[id] end
  local address = string.format("10.%d.%d.%d", math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
  local headers = {
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = id,
    ["X-Request-Id"] = id,
    ["X-Forwarded-For"] = address,
  }
  return wrk.format("POST", "/api/v1/bookings", headers, string.format(body, slot, unit, number, number, run))
end

local function report(value)
  local times = value "times"
  table.sort(times)
  local function at(share) return (times[math.max(1, math.ceil(#times * share))] or 0) / 1000 end
  local refusal = string.gsub(value "first_other", "[%c\"\\]", " ")
  io.write(string.format(
    'RESULT {"answered": %d, "created": %d, "sold_out": %d, "unavailable": %d, "other": %d, "seconds": %.3f, ' ..
    '"first_other": "%s", "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    value "answered", value "created", value "sold_out", value "unavailable", value "other",
    (value "last" - value "first") / 1000000, string.sub(refusal, 1, 200), at(0.5), at(0.95), at(0.99)))
  io.flush()
end

function response(status, headers, content)
  last = now()
  answered = answered + 1
  local id = headers["X-Request-Id"]
  if id and begun[id] then
    times[#times + 1] = last - begun[id]
    begun[id] = nil
  end
  if status == 201 then created = created + 1
  elseif status == 409 and string.find(content, '"SOLD_OUT"', 1, true) then sold_out = sold_out + 1
  elseif status == 503 then unavailable = unavailable + 1
  else
    other = other + 1
    if first_other == "" then first_other = status .. " " .. content end
  end
  if answered == all then
    report(function(name) return _G[name] end)
    os.exit(0)
  end
end

local only_thread
function setup(thread) only_thread = thread end

function done()
  report(function(name) return only_thread:get(name) end)
end
