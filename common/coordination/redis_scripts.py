"""What Redis does for coordination, each in one step and one round trip (Lua, as Redis 5 and later run it).

Keys: `epochs` (name -> epoch), `epochs-by` (name -> the machine that set it), `stamps` (name -> version,
colon, what the document is), `documents` (name -> content), `rows` (process -> all its rows), `leases`
(process -> end, in milliseconds of the server's clock).
"""

from __future__ import annotations

_NUMBERS = """
local function number(text) return tonumber(text) or 0 end
local function text(number) return string.format('%.0f', number) end
"""

# KEYS: epochs, epochs-by, stamps, rows, leases, documents. ARGV: process, machine, lease (ms), rows; then
# lists, each after its length: epochs (name, epoch, '1' if it was bumped while Redis was away), documents
# (name, stamp). Answers flat lists: epochs, documents that differ (name, stamp, content), names of wanted
# documents, rows.
SYNC = (
    _NUMBERS
    + """
local process, machine, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at = 5
local function next_argument() at = at + 1; return ARGV[at - 1] end

for _ = 1, number(next_argument()) do
  local name, ours, owed = next_argument(), number(next_argument()), next_argument()
  local have, set = number(redis.call('HGET', KEYS[1], name)), nil
  if have < ours then
    set = ours
  elseif owed == '1' and not (have == ours and redis.call('HGET', KEYS[2], name) == machine) then
    set = have + 1  -- another machine bumped too: one that saw either must see both
  end
  if set then
    redis.call('HSET', KEYS[1], name, text(set))
    redis.call('HSET', KEYS[2], name, machine)
  end
end

local stamps, differing, wanted = {}, {}, {}
local flat = redis.call('HGETALL', KEYS[3])
for i = 1, #flat, 2 do stamps[flat[i]] = flat[i + 1] end
for _ = 1, number(next_argument()) do
  local name, ours = next_argument(), next_argument()
  local theirs = stamps[name] or '0:'
  if theirs == ours then
    stamps[name] = nil
    if redis.call('HEXISTS', KEYS[6], name) == 0 then  -- evicted
      redis.call('HDEL', KEYS[3], name)
      wanted[#wanted + 1] = name
    end
  elseif number(string.match(theirs, '^%d+')) < number(string.match(ours, '^%d+')) then
    stamps[name] = nil
    wanted[#wanted + 1] = name
  end
end
for name, stamp in pairs(stamps) do
  local content = redis.call('HGET', KEYS[6], name)
  if content then
    for _, each in ipairs({name, stamp, content}) do differing[#differing + 1] = each end
  else
    redis.call('HDEL', KEYS[3], name)  -- evicted
  end
end

local time = redis.call('TIME')
local now = number(time[1]) * 1000 + math.floor(number(time[2]) / 1000)
redis.call('HSET', KEYS[4], process, ARGV[4])
redis.call('ZADD', KEYS[5], text(now + lease), process)
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', text(now))) do
  redis.call('HDEL', KEYS[4], ended)
  redis.call('ZREM', KEYS[5], ended)
end
redis.call('PEXPIRE', KEYS[4], lease * 30)
redis.call('PEXPIRE', KEYS[5], lease * 30)
return {redis.call('HGETALL', KEYS[1]), differing, wanted, redis.call('HGETALL', KEYS[4])}
"""
)

# KEYS: epochs, epochs-by. ARGV: name, our epoch, machine. Answers the new epoch.
BUMP = (
    _NUMBERS
    + """
local epoch = text(math.max(number(redis.call('HGET', KEYS[1], ARGV[1])), number(ARGV[2])) + 1)
redis.call('HSET', KEYS[1], ARGV[1], epoch)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return epoch
"""
)

# KEYS: stamps, documents. ARGV: name, version, what it is, content, and '1' when it is the newest by force.
# Answers the version that it has now, or nothing when a newer one stands.
SHARE = (
    _NUMBERS
    + """
local theirs = redis.call('HGET', KEYS[1], ARGV[1]) or '0:'
local have, version = number(string.match(theirs, '^%d+')), number(ARGV[2])
if theirs == ARGV[2] .. ':' .. ARGV[3] then return ARGV[2] end
if have >= version then
  if ARGV[5] ~= '1' then return false end
  version = have + 1
end
redis.call('HSET', KEYS[1], ARGV[1], text(version) .. ':' .. ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
return text(version)
"""
)

# KEYS: rows, leases. ARGV: process.
LEAVE = """
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])
"""

# KEYS: a flight's lock and landing. ARGV: token, lease (ms). Answers whether it is ours, last landing.
TAKE_OFF = """
local taken = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
return {taken and 1 or 0, redis.call('GET', KEYS[2]) or ''}
"""

# KEYS: as above. ARGV: token, how long the landing is to be seen (ms), '1' when the work was done.
LAND = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if ARGV[3] == '1' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return 1
"""

# KEYS: locks of flights. ARGV: a lease (ms), and a token for each.
KEEP_FLYING = """
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[i + 1] then redis.call('PEXPIRE', key, ARGV[1]) end
end
return 1
"""
