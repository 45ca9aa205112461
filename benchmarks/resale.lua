-- A reseller books and confirms: over OCTO, or, without RESALE_PRODUCT, over the native routes with the same key.
local ffi = require "ffi"
ffi.cdef [[ typedef struct { long seconds; long microseconds; } moment; int gettimeofday(moment *, void *); ]]

local run = os.getenv "RESALE_RUN"
local product, option, unit = os.getenv "RESALE_PRODUCT", os.getenv "RESALE_OPTION", os.getenv "RESALE_UNIT"
local slots = {}
for slot in string.gmatch(os.getenv "RESALE_SLOTS", "[%x-]+") do slots[#slots + 1] = slot end
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. os.getenv "RESALE_KEY" }

local contact = '{"contact":{"fullName":"Guest","emailAddress":"guest@example.com"}}'
local octo_body = '{"uuid":"%s","productId":"%s","optionId":"%s","availabilityId":"%s","unitItems":[{"unitId":"%s"}]}'
local native_body = '{"items":[{"slotId":"%s","units":[{"unitId":"%s","quantity":1}]}],' ..
  '"customer":{"name":"Guest","email":"guest@example.com","language":"en"}}'

local clock = ffi.new "moment"
local steps, first_step, last_step, number, begun = {}, 1, 0, 0, {}

-- Read by done() through the thread.
sold, refused, pair_microseconds, first_refusal = 0, 0, {}, ""

local function now()
  ffi.C.gettimeofday(clock, nil)
  return tonumber(clock.seconds) * 1000000 + tonumber(clock.microseconds)
end

function request()
  if first_step <= last_step then
    local step = steps[first_step]
    steps[first_step] = nil
    first_step = first_step + 1
    return step
  end
  number = number + 1
  local slot = slots[number % #slots + 1]
  local name = string.format("%s-0000-4000-8000-%012x", run, number)
  -- the answer carries the request's id: that is how a confirmation is known to be this booking's
  headers["X-Request-Id"] = name
  begun[name] = now()
  if product then
    return wrk.format("POST", "/api/v1/octo/bookings", headers, string.format(octo_body, name, product, option, slot, unit))
  end
  headers["Idempotency-Key"] = name
  return wrk.format("POST", "/api/v1/bookings", headers, string.format(native_body, slot, unit))
end

local function confirm(name, body)
  headers["X-Request-Id"] = name
  last_step = last_step + 1
  if product then
    steps[last_step] = wrk.format("POST", "/api/v1/octo/bookings/" .. name .. "/confirm", headers, contact)
  else
    local id = string.match(body, '^{"id":"([%x-]+)"')
    headers["Idempotency-Key"] = nil
    steps[last_step] = wrk.format("POST", "/api/v1/bookings/" .. id .. "/confirm", headers)
  end
end

function response(status, answered, body)
  local name = answered["X-Request-Id"]
  local told = string.lower(string.match(body, '"status":"(%u?%l?[%a_]+)"') or "")
  if status < 300 and told == "on_hold" then
    confirm(name, body)
  elseif status < 300 and told == "confirmed" then
    sold = sold + 1
    pair_microseconds[sold] = now() - begun[name]
    begun[name] = nil
  else
    refused = refused + 1
    if first_refusal == "" then first_refusal = status .. " " .. body end
  end
end

local only_thread
function setup(thread) only_thread = thread end

function done(summary, latency)
  local times = only_thread:get "pair_microseconds"
  table.sort(times)
  local function at(share) return (times[math.max(1, math.ceil(#times * share))] or 0) / 1000 end
  local refusal = string.gsub(only_thread:get "first_refusal", "[%c\"\\]", " ")
  local broken = summary.errors
  io.write(string.format(
    'RESULT {"seconds": %.6f, "sold": %d, "refused": %d, "broken": %d, "first_refusal": "%s", ' ..
    '"p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.duration / 1000000, only_thread:get "sold", only_thread:get "refused",
    broken.connect + broken.read + broken.write + broken.timeout, string.sub(refusal, 1, 300),
    at(0.5), at(0.95), at(0.99)))
end
