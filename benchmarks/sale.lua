-- Buys tickets: hold, open the payment when the ticket costs something, confirm. A step that an answer makes
-- possible is the next request of whichever connection is free first.
local ffi = require "ffi"
ffi.cdef [[ typedef struct { long seconds; long microseconds; } moment; int gettimeofday(moment *, void *); ]]

local run = os.getenv "SALE_RUN"
local unit = os.getenv "SALE_UNIT"
local paid = os.getenv "SALE_PAID" == "1"
local slots = {}
for slot in string.gmatch(os.getenv "SALE_SLOTS", "[%x-]+") do slots[#slots + 1] = slot end

local clock = ffi.new "moment"
local steps, first_step, last_step, number = {}, 1, 0, 0
local begun, tokens = {}, {}
local hold_body = '{"items":[{"slotId":"%s","units":[{"unitId":"%s","quantity":1}]}],' ..
  '"customer":{"name":"Guest %d","email":"guest-%d-%s@example.com","language":"en"}}'

-- Read by done() through the thread.
sold, refused, hold_microseconds, pair_microseconds, first_refusal = 0, 0, {}, {}, ""

local function now()
  ffi.C.gettimeofday(clock, nil)
  return tonumber(clock.seconds) * 1000000 + tonumber(clock.microseconds)
end

-- The answer carries the request's id: that is how the answer to a payment is known to be this booking's.
local function later(id, action)
  local headers = { ["Authorization"] = "Bearer " .. tokens[id], ["X-Request-Id"] = id }
  last_step = last_step + 1
  steps[last_step] = wrk.format("POST", "/api/v1/bookings/" .. id .. "/" .. action, headers)
end

function request()
  if first_step <= last_step then
    local step = steps[first_step]
    steps[first_step] = nil
    first_step = first_step + 1
    return step
  end
  number = number + 1
  begun[number] = now()
  local address = string.format("10.%d.%d.%d", math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
  local headers = {
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = string.format("%s-%012d", run, number),
    ["X-Real-IP"] = address,
  }
  local slot = slots[number % #slots + 1]
  return wrk.format("POST", "/api/v1/bookings", headers, string.format(hold_body, slot, unit, number, number, run))
end

local function held(body, who)
  hold_microseconds[#hold_microseconds + 1] = now() - begun[who]
  local id = string.match(body, '^{"id":"([%x-]+)"')
  tokens[id] = string.match(body, '"accessToken":"([%w_.-]+)"')
  later(id, paid and "payment" or "confirm")
end

function response(status, headers, body)
  local who = tonumber(string.match(body, '"email":"guest%-(%d+)%-'))
  local confirmed = string.find(body, '"status":"confirmed"', 1, true)
  if status == 201 and who and not confirmed then
    held(body, who)
  elseif status == 200 and who and confirmed then
    sold = sold + 1
    pair_microseconds[sold] = now() - begun[who]
    begun[who] = nil
  elseif paid and status < 300 and string.find(body, '"paymentId"', 1, true) then
    later(headers["X-Request-Id"], "confirm")
  else
    refused = refused + 1
    if first_refusal == "" then first_refusal = status .. " " .. body end
  end
end

local only_thread
function setup(thread) only_thread = thread end

local function percentiles(times)
  table.sort(times)
  local function at(share) return (times[math.max(1, math.ceil(#times * share))] or 0) / 1000 end
  return string.format('{"p50": %.3f, "p95": %.3f, "p99": %.3f}', at(0.5), at(0.95), at(0.99))
end

function done(summary, latency)
  local refusal = string.gsub(only_thread:get "first_refusal", "[%c\"\\]", " ")
  local broken = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "sold": %d, "refused": %d, "broken": %d, "first_refusal": "%s", ' ..
    '"request": {"p50": %.3f, "p95": %.3f, "p99": %.3f}, "hold": %s, "pair": %s}\n',
    summary.duration / 1000000, summary.requests, only_thread:get "sold", only_thread:get "refused",
    broken.connect + broken.read + broken.write + broken.timeout, string.sub(refusal, 1, 300),
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
    percentiles(only_thread:get "hold_microseconds"), percentiles(only_thread:get "pair_microseconds")))
end
