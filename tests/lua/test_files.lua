-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local uv = require "luv"
local test, equal, contains = unit.test, unit.equal, unit.contains

local directory = assert(files.temporary_directory())

local function at(name)
  return directory .. "/" .. name
end

local function mode_of(path)
  return assert(uv.fs_stat(path)).mode & tonumber("777", 8)
end

local PRIVATE = tonumber("600", 8)

test("what was written is read back, whatever bytes it has", function()
  local text = ("\0\r\n\xFF"):rep(100000)
  equal(files.write(at "bytes", text), true)
  equal(files.read(at "bytes") == text, true)
  equal(files.write(at "bytes", ""), true)
  equal(files.read(at "bytes"), "")
end)

test("a mode holds from the first byte on, also for a file that was there", function()
  equal(files.write(at "key", "secret", PRIVATE), true)
  equal(mode_of(at "key"), PRIVATE)
  assert(files.write(at "open", "public"))
  assert(uv.fs_chmod(at "open", tonumber("644", 8)))
  equal(files.write(at "open", "secret", PRIVATE), true)
  equal(mode_of(at "open"), PRIVATE)
  -- What the file is created with, before anything else is done to it.
  local open, asked = uv.fs_open, nil
  uv.fs_open = function(path, flags, mode)
    asked = mode
    return open(path, flags, mode)
  end
  local written = files.write(at "other", "secret", PRIVATE)
  uv.fs_open = open
  equal(written, true)
  equal(asked, PRIVATE)
end)

test("a temporary directory is this user's alone", function()
  equal(mode_of(directory), tonumber("700", 8))
end)

test("files that cannot be read or written name their path and why", function()
  local text, problem = files.read(at "absent")
  equal(text, nil)
  equal(problem, ("cannot read %s: no such file or directory"):format(at "absent"))
  text, problem = files.read(directory)
  equal(text, nil)
  contains(problem, "cannot read " .. directory)
  local written
  written, problem = files.write(at "absent/file", "x")
  equal(written, nil)
  contains(problem, "cannot write " .. at "absent/file")
  if files.kind "/dev/full" then
    written, problem = files.write("/dev/full", "x")
    equal(written, nil)
    contains(problem, "cannot write /dev/full: no space left on device")
  end
end)

test("a list has the files of all folders, sorted, none hidden, and no circle", function()
  assert(files.make_directory(at "tree/b/deep"))
  assert(files.make_directory(at "tree/.hidden"))
  for _, name in ipairs { "c", "a", "b/deep/z", "b/y", ".dot", ".hidden/x" } do
    assert(files.write(at("tree/" .. name), ""))
  end
  assert(uv.fs_symlink(at "tree", at "tree/b/round"))
  assert(uv.fs_symlink(at "tree/a", at "tree/link"))
  local function names(paths)
    return (table.concat(paths, " "):gsub(at "tree/":gsub("%p", "%%%0"), ""))
  end
  equal(names(assert(files.list(at "tree"))), "a b/deep/z b/y c link")
  equal(names(assert(files.folders(at "tree"))), "b b/deep")
  local list, problem = files.list(at "absent")
  equal(list, nil)
  contains(problem, "cannot list " .. at "absent")
end)

test("what is removed is removed whole, and links are not followed", function()
  assert(files.make_directory(at "kept"))
  assert(files.write(at "kept/file", "x"))
  assert(files.make_directory(at "gone/below"))
  assert(uv.fs_symlink(at "kept", at "gone/below/link"))
  assert(uv.fs_symlink(at "nowhere", at "gone/dangling"))
  equal(files.remove_tree(at "gone"), true)
  equal(files.kind(at "gone"), nil)
  equal(files.read(at "kept/file"), "x")
  equal(files.remove_tree(at "gone"), true, "there is nothing any more")
end)

test("a program is a file that may be executed", function()
  assert(files.make_directory(at "path/first/prog"))
  assert(files.make_directory(at "path/second"))
  assert(files.write(at "path/second/prog", "", PRIVATE))
  assert(files.make_directory(at "path/third"))
  assert(files.write(at "path/third/prog", "", tonumber("700", 8)))
  local getenv = os.getenv
  os.getenv = function() -- luacheck: ignore 122
    return table.concat({ at "path/first", at "path/second", at "path/third" }, ":")
  end
  local found, absent = files.find_program "prog", files.find_program "absent"
  os.getenv = getenv -- luacheck: ignore 122
  -- Who is root may read and write everything, but executes only what somebody may execute.
  equal(found, at "path/third/prog")
  equal(absent, nil)
end)

test("a directory is made with those above it, once and again", function()
  equal(files.make_directory(at "one/two/three"), true)
  equal(files.make_directory(at "one/two/three/"), true)
  equal(files.kind(at "one/two/three"), "directory")
  assert(files.write(at "plain", ""))
  local made, problem = files.make_directory(at "plain/below")
  equal(made, nil)
  contains(problem, "cannot make directory")
end)

test("a path is named from a directory, as far as the texts tell", function()
  equal(files.relative("a/x.pcapng", "a/report/cases"), "../../x.pcapng")
  equal(files.relative("./a//b/../x", "a"), "x")
  equal(files.relative("a", "a/"), ".")
  equal(files.relative("/a/b/c", "/a/d"), "../b/c")
  equal(files.relative("/x", files.working_directory()):gsub("%.%./", ""), "x")
  equal(files.relative(files.working_directory() .. "/x", "y"), "../x")
  equal(files.relative("../../../../../../../../../../../../x", "/"), "x")
end)

test("the names in a directory are sorted, hidden ones among them", function()
  assert(files.make_directory(at "names/b"))
  assert(files.write(at "names/c", ""))
  assert(files.write(at "names/.a", ""))
  equal(table.concat(assert(files.names(at "names")), " "), ".a b c")
  local names, problem = files.names(at "names/none")
  equal(names, nil)
  contains(problem, "cannot list")
end)

files.remove_tree(directory)
unit.done()
