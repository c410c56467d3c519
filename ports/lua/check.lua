-- SPDX-License-Identifier: BSD-2-Clause
-- What a Lua script asks of the system below it.  arg[1] is an empty folder.
local dir = assert(arg[1])

-- Numbers, strings, patterns.
assert(math.type(3 // 1) == "integer" and 7 // 2 == 3 and 2 ^ 0.5 > 1.41)
assert(("%5.1f|%-4d|%q"):format(3.14159, 42, "a\nb") == '  3.1|42  |"a\\\nb"')
assert(("key = value"):match("^(%w+)%s*=%s*(%w+)$") == "key")
assert(utf8.char(8364) == "€" and utf8.len("añb") == 3)
assert(string.pack(">I4", 258) == "\0\0\1\2")
assert(tostring(0/0):match("nan") and math.huge > math.maxinteger)

-- Closures, coroutines, errors, metatables, collection.
local function counter()
	return coroutine.wrap(function()
		for i = 1, 3 do coroutine.yield(i) end
	end)
end
local next_one = counter()
assert(next_one() == 1 and next_one() == 2 and next_one() == 3)
local ok, why = pcall(error, {code = 7})
assert(not ok and why.code == 7)
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
assert(deep(10000) == 10000)
assert(not pcall(function() local function f() return 1 + f() end f() end))
local weak = setmetatable({}, {__mode = "v"})
weak[1] = {}
collectgarbage()
assert(weak[1] == nil)
local before = collectgarbage("count")
local big = {}
for i = 1, 200000 do big[i] = ("x"):rep(i % 50) end
big = nil
collectgarbage()
assert(collectgarbage("count") < before + 1000)

-- Files.
local path = dir .. "/file"
local f = assert(io.open(path, "w"))
assert(f:write("one\n", 2, "\n", 3.5, "\n") == f and f:close())
f = assert(io.open(path))
assert(f:read("l") == "one" and f:read("n") == 2 and f:read("n") == 3.5)
assert(f:seek("set", 0) == 0 and #f:read("a") == 10 and f:close())
local lines = {}
for line in io.lines(path) do lines[#lines + 1] = line end
assert(#lines == 3)
assert(os.rename(path, path .. "2") and not io.open(path))
assert(select(3, io.open(path)) == 2) -- ENOENT
local t = io.tmpfile()
t:write("x")
assert(t:seek("cur") == 1 and t:close())
local code = assert(io.open(dir .. "/mod.lua", "w"))
code:write("return {answer = 42}")
code:close()
package.path = dir .. "/?.lua"
assert(require("mod").answer == 42)
assert(os.remove(path .. "2") and os.remove(dir .. "/mod.lua"))

-- Time, environment, and what one process can't do.
local now = os.time()
assert(os.date("!%Y", 0) == "1970" and now > 1600000000)
assert(os.time(os.date("*t", now)) == now and os.clock() >= 0)
assert(os.getenv("HERD") == "Miura" and os.getenv("none") == nil)
assert(not os.execute("true"))
print("all well")
os.exit(7)
