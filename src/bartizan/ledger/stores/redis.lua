-- One function for every step of the limit protocol: accounts.py line by line, atomic because the server runs one
-- script at a time. Integers only: every amount is at most 2^52, so doubles are exact.
-- KEYS[1]: the prefix, with a hash tag, so that all keys lie in one slot. ARGV[1]: the steps in MessagePack.
-- ARGV[2]: the time in ms, or -1 for the server's own.
local P, PARTS, KEEP = KEYS[1], 60, 3600000
local HELD, EXPIRED, SETTLED, MOST = 0, 1, 2, 4503599627370496
local SWEPT = 64
local floor, max, min = math.floor, math.max, math.min
local now = tonumber(ARGV[2])
if now < 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + floor(t[2] / 1000)
end
local accounts, rows, dirty = {}, {}, {}

local function ceil(a, b)
  local q = floor(a / b)
  while q * b < a do q = q + 1 end
  while (q - 1) * b >= a do q = q - 1 end
  return q
end

local function account(limit)
  local name = limit[1]
  local found = accounts[name]
  if not found then
    local raw = redis.call('GET', P .. ':a:' .. name)
    if raw then
      local held, level, at, until_, parts = cmsgpack.unpack(raw)
      found = {held = held, level = level, at = at, till = until_, spent = {}}
      for i = 1, #parts, 2 do found.spent[parts[i]] = parts[i + 1] end
    else
      found = {held = 0, level = 0, at = 0, till = 0, spent = {}}
    end
    accounts[name] = found
  end
  return found
end

local function row(id)
  if rows[id] == nil then
    local raw = redis.call('GET', P .. ':h:' .. id)
    rows[id] = raw and cmsgpack.unpack(raw) or false
  end
  return rows[id]
end

local function put(id, hold, state, till, charged)
  rows[id] = {hold, state, till, charged}
  dirty[id] = true
end

local function amount(amounts, unit)
  if unit == 'money' then return amounts[1] end
  if unit == 'input' then return amounts[2] end
  if unit == 'output' then return amounts[3] end
  if unit == 'requests' then return amounts[4] end
  return 1
end

local function width(limit) return ceil(limit[5], PARTS) end
local function part(limit, at) return limit[5] > 0 and floor(at / width(limit)) or 0 end
local function burst(limit) return (limit[6] or 0) > 0 and limit[6] or limit[4] end

local function spent(acc, limit)
  local total = 0
  for number, value in pairs(acc.spent) do
    if limit[5] > 0 and (number + 1) * width(limit) + limit[5] <= now then
      acc.spent[number] = nil
    else
      total = total + value
    end
  end
  return total
end

local function keep(acc, limit)
  acc.touched = true
  if limit[2] == 'rate' then acc.till = now + ceil(acc.level, max(limit[4], 1))
  elseif limit[2] == 'slots' then acc.till = now
  elseif limit[5] > 0 then acc.till = now + limit[5] + width(limit) end
end

local function decay(acc, limit)
  acc.level = max(acc.level - max(now - acc.at, 0) * limit[4], 0)
  acc.at = max(now, acc.at)
end

local function charge(acc, number, value)
  if value ~= 0 then acc.spent[number] = min((acc.spent[number] or 0) + value, MOST) end
end

local function denies(acc, limit, amounts)
  local wanted = amount(amounts, limit[3])
  if limit[2] == 'rate' then
    decay(acc, limit)
    local room = burst(limit) * limit[5] - acc.level
    local short = wanted * limit[5] - room
    if short <= 0 then return nil end
    local retry = -1
    if limit[4] > 0 and wanted <= burst(limit) then retry = ceil(short, limit[4]) end
    return {'rate', limit[1], limit, floor(max(room, 0) / limit[5]), retry}
  end
  local left = limit[4] - acc.held - spent(acc, limit)
  if wanted <= left then return nil end
  return {limit[2], limit[1], limit, max(left, 0), limit[2] == 'slots' and 1000 or -1}
end

local function take(acc, limit, wanted)
  if limit[2] == 'rate' then
    acc.level = acc.level + wanted * limit[5]
    keep(acc, limit)
    local room = burst(limit) * limit[5] - acc.level
    return {floor(room / limit[5]), ceil(acc.level, limit[4])}
  end
  acc.held = acc.held + wanted
  keep(acc, limit)
  return {limit[4] - acc.held - spent(acc, limit), 0}
end

local function worse(a, b)
  if b == nil then return true end
  if (a[5] < 0) ~= (b[5] < 0) then return a[5] < 0 end
  return a[5] >= 0 and a[5] > b[5]
end

local function admit(hold, lease)
  local id, limits, amounts, scopes = hold[1], hold[2], hold[3], hold[4]
  if row(id) then return {'off', 'this hold was admitted before', false, 0, -1} end
  local off = redis.call('HMGET', P .. ':off', 'all', unpack(scopes))
  for i = 1, #scopes + 1 do
    if off[i] then return {'off', i == 1 and 'all' or scopes[i - 1], false, 0, -1} end
  end
  local worst = nil
  for _, limit in ipairs(limits) do
    local said = denies(account(limit), limit, amounts)
    if said and worse(said, worst) then worst = said end
  end
  if worst then return worst end
  local lefts = {}
  for i, limit in ipairs(limits) do lefts[i] = take(account(limit), limit, amount(amounts, limit[3])) end
  put(id, hold, HELD, now + lease, 0)
  return {'admitted', lefts}
end

local function settle(hold, used)
  local id = hold[1]
  local found = row(id)
  local state = found and found[2] or -1
  if state == SETTLED then return false end
  local kept = found and found[1] or hold
  for _, limit in ipairs(kept[2]) do
    local acc, reserved = account(limit), amount(kept[3], limit[3])
    local real = min(amount(used, limit[3]), MOST)
    if limit[2] == 'rate' then
      decay(acc, limit)
      acc.level = max(acc.level + (real - (found and reserved or 0)) * limit[5], 0)
      keep(acc, limit)
    else
      if state == HELD then acc.held = acc.held - reserved end
      keep(acc, limit)
      if limit[2] == 'budget' then
        if state == EXPIRED then
          local number = part(limit, found[4])
          if acc.spent[number] then acc.spent[number] = max(acc.spent[number] + real - reserved, 0) end
        else
          charge(acc, part(limit, now), real)
        end
      end
    end
  end
  put(id, {id, {}, used, {}}, SETTLED, now + KEEP, 0)
  return true
end

local function expire()
  local due = redis.call('ZRANGEBYSCORE', P .. ':lease', '-inf', now, 'LIMIT', 0, SWEPT)
  local count = 0
  for _, id in ipairs(due) do
    local found = row(id)
    if found and found[2] == HELD and found[3] <= now then
      count = count + 1
      for _, limit in ipairs(found[1][2]) do
        if limit[2] ~= 'rate' then
          local acc, reserved = account(limit), amount(found[1][3], limit[3])
          acc.held = acc.held - reserved
          keep(acc, limit)
          if limit[2] == 'budget' then charge(acc, part(limit, now), reserved) end
        end
      end
      put(id, found[1], EXPIRED, now + 24 * KEEP, now)
    else
      redis.call('ZREM', P .. ':lease', id)
    end
  end
  return count
end

local function renew(ids, lease)
  local gone = {}
  for _, id in ipairs(ids) do
    local found = row(id)
    if found and found[2] == HELD then
      put(id, found[1], HELD, now + lease, found[4])
    else
      gone[#gone + 1] = id
    end
  end
  return gone
end

local function standing(limit)
  local acc = account(limit)
  local total = spent(acc, limit)
  local recent, since, first, any = 0, part(limit, now) - PARTS / 12 + 1, nil, false
  for number, value in pairs(acc.spent) do
    first = min(first or number, number)
    if limit[5] > 0 and number >= since then
      any = true
      recent = recent + value
    end
  end
  return {total, acc.held, recent, any and max(now - max(first, since) * width(limit), 1) or 0}
end

local answers, steps = {}, cmsgpack.unpack(ARGV[1])
local swept = steps[1][1] ~= 'standing' and expire() or 0
for i, step in ipairs(steps) do
  local what = step[1]
  if what == 'admit' then answers[i] = admit(step[2], step[3])
  elseif what == 'settle' then answers[i] = settle(step[2], step[3])
  elseif what == 'renew' then answers[i] = renew(step[2], step[3])
  elseif what == 'standing' then answers[i] = standing(step[2])
  else answers[i] = swept end
end
for name, acc in pairs(accounts) do
  local key, parts = P .. ':a:' .. name, {}
  for number, value in pairs(acc.spent) do
    parts[#parts + 1] = number
    parts[#parts + 1] = value
  end
  if not acc.touched then
    -- only looked at
  elseif acc.till > 0 and acc.held == 0 and acc.till <= now then
    redis.call('DEL', key)
  else
    redis.call('SET', key, cmsgpack.pack(acc.held, acc.level, acc.at, acc.till, parts))
    if acc.till > 0 and acc.held == 0 then redis.call('PEXPIRE', key, acc.till - now + 1000) end
  end
end
for id in pairs(dirty) do
  local found = rows[id]
  redis.call('SET', P .. ':h:' .. id, cmsgpack.pack(found))
  if found[2] == HELD then
    redis.call('ZADD', P .. ':lease', found[3], id)
  else
    redis.call('ZREM', P .. ':lease', id)
    redis.call('PEXPIRE', P .. ':h:' .. id, found[3] - now + 1000)
  end
end
return cmsgpack.pack(answers)
