"""What happens in Redis in one step. KEYS: the generations of everything, of patterns, of the region, of each
tag; last the value.

A generation is a random token, not a number: one that was lost and begun anew never equals an old one, and to
end a generation is to remove it, which a Redis without memory for anything else still does.
"""

from __future__ import annotations

LOOK_TO_LOAD = """
local found = redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS - 1 do
  local token = found[i]
  if not token or (i == 1 and string.sub(token, 1, #ARGV[1]) ~= ARGV[1]) then
    if i == 1 then
      found[i] = ARGV[1] .. ARGV[2]
    else
      found[i] = ARGV[2]
    end
    if i <= 3 then
      redis.call('SET', KEYS[i], found[i])
    else
      redis.call('SET', KEYS[i], found[i], 'PX', ARGV[3])
    end
  end
end
return found
"""
"""ARGV: the server's run, a new token, how long a tag's generation is kept (ms). Returns what MGET would.

A generation of everything that another run began is ended: what the server read from its disk, or was sent by
its former master, may lack the last invalidations.
"""

KEEP = """
local count = #KEYS - 1
local now = redis.call('MGET', unpack(KEYS, 1, count))
for i = 1, count do
  if now[i] ~= ARGV[i] then
    return 0
  end
end
redis.call('SET', KEYS[count + 1], ARGV[count + 1], 'PX', ARGV[count + 2])
for i = 4, count do
  redis.call('PEXPIRE', KEYS[i], ARGV[count + 3])
end
return 1
"""
"""ARGV: the generations captured, the value, its time and that of the tags' generations (ms). 1: kept."""

MEND = """
local now = redis.call('GET', KEYS[1])
if ARGV[2] == 'lost' or now == ARGV[1] then
  redis.call('UNLINK', KEYS[1])
else
  redis.call('UNLINK', KEYS[2])
end
return 1
"""
"""KEYS: the generation of everything, any name. ARGV: that generation as it was seen last, and whether an
invalidation was lost. Ends it, unless another process has done so meanwhile and nothing was lost; writes in
any case, so that it fails on a replica.
"""
