# SPDX-License-Identifier: MIT
# Run by ctest, with the arguments of moonshake_discover_scenarios() as variables moonshake_NAME:
# asks the program for its cases, and adds a test for each. What goes wrong is a failing test, for
# without one nothing would be red.

# Seconds that the program gives a file to load, and a case that says nothing else to run; and what
# it has on top of that to clean up and say so.
set(moonshake_DEFAULT_TIMEOUT 60)
set(moonshake_GRACE 10)

# The lines of a text as a list; characters that have a meaning in lists become control characters,
# which moonshake_plain() takes back. (The space: a backslash would escape the semicolon.)
string(ASCII 1 moonshake_OPEN)
string(ASCII 2 moonshake_CLOSE)
string(ASCII 3 moonshake_SEMICOLON)

function(moonshake_lines variable text)
  string(REPLACE "[" "${moonshake_OPEN}" text "${text}")
  string(REPLACE "]" "${moonshake_CLOSE}" text "${text}")
  string(REPLACE ";" "${moonshake_SEMICOLON}" text "${text}")
  string(REPLACE "\n" " ;" text "${text}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

function(moonshake_plain variable text)
  string(REPLACE "${moonshake_OPEN}" "[" text "${text}")
  string(REPLACE "${moonshake_CLOSE}" "]" text "${text}")
  string(REPLACE "${moonshake_SEMICOLON}" ";" text "${text}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# Names the line of Lua that a test comes from, in ctest's JSON: editors go there. (A path with half
# a pair of brackets cannot be said so.)
function(moonshake_set_source name file line)
  get_filename_component(file "${file}" ABSOLUTE BASE_DIR "${moonshake_WORKING_DIRECTORY}")
  string(REPLACE ";" "\\;" file "${file}")
  set_tests_properties("${name}" PROPERTIES _BACKTRACE_TRIPLES "${file};${line};add_test")
endfunction()

# A test that says what went wrong, and fails always.
function(moonshake_add_failure name text)
  add_test("${name}" "${moonshake_CMAKE}" -E echo "${text}")
  set_tests_properties("${name}" PROPERTIES WILL_FAIL TRUE LABELS "${moonshake_LABELS}")
endfunction()

# How long ctest waits for a case: longer than the program does, so that this says what happened.
function(moonshake_limit variable timeout)
  if(moonshake_TIMEOUT)
    math(EXPR limit "2 * ${moonshake_TIMEOUT} + ${moonshake_GRACE}") # one to load, one to run
  else()
    string(REGEX MATCH "^[0-9]+" whole "${timeout}")
    math(EXPR limit "${whole} + 1 + ${moonshake_DEFAULT_TIMEOUT} + ${moonshake_GRACE}")
  endif()
  set(${variable} ${limit} PARENT_SCOPE)
endfunction()

# `case` is an object of the listing.
function(moonshake_add_case case)
  string(JSON id GET "${case}" id)
  string(JSON file GET "${case}" file)
  string(JSON line GET "${case}" line)
  string(JSON timeout ERROR_VARIABLE none GET "${case}" timeout)
  if(none)
    set(timeout ${moonshake_DEFAULT_TIMEOUT})
  endif()
  moonshake_limit(limit "${timeout}")
  set(name "${moonshake_NAME_PREFIX}${id}")
  set(options --skip-status 77)
  if(moonshake_TIMEOUT)
    list(APPEND options --timeout ${moonshake_TIMEOUT})
  endif()
  add_test("${name}" "${moonshake_PROGRAM}" run ${options} ${moonshake_OPTIONS} -- "${id}")
  set_tests_properties("${name}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${limit}
                       WORKING_DIRECTORY "${moonshake_WORKING_DIRECTORY}"
                       LABELS "${moonshake_LABELS}" ${moonshake_PROPERTIES})
  # One by one (ctest adds them up): in a list, a bracket in one would swallow the next.
  string(JSON count LENGTH "${case}" tags)
  foreach(index RANGE ${count})
    if(index LESS count)
      string(JSON tag GET "${case}" tags ${index})
      string(REPLACE ";" "\\;" tag "${tag}")
      set_tests_properties("${name}" PROPERTIES LABELS "${tag}")
    endif()
  endforeach()
  moonshake_set_source("${name}" "${file}" ${line})
endfunction()

# `complaint` is a line of the listing's standard error: "moonshake: FILE:LINE: message".
function(moonshake_add_unloaded complaint variable)
  string(FIND "${complaint}" ".lua:" at)
  if(NOT complaint MATCHES "^moonshake: " OR at EQUAL -1)
    return()
  endif()
  math(EXPR length "${at} + 4 - 11")
  string(SUBSTRING "${complaint}" 11 ${length} file)
  moonshake_add_failure("${moonshake_NAME_PREFIX}${file}" "${complaint}")
  math(EXPR at "${at} + 4")
  string(SUBSTRING "${complaint}" ${at} -1 rest)
  set(line 1)
  if(rest MATCHES "^:([0-9]+):")
    set(line ${CMAKE_MATCH_1})
  endif()
  moonshake_set_source("${moonshake_NAME_PREFIX}${file}" "${file}" ${line})
  set(${variable} TRUE PARENT_SCOPE)
endfunction()

function(moonshake_add_tests)
  execute_process(COMMAND "${moonshake_PROGRAM}" list --format json -- "${moonshake_PATH}"
                  WORKING_DIRECTORY "${moonshake_WORKING_DIRECTORY}"
                  TIMEOUT ${moonshake_DISCOVERY_TIMEOUT}
                  RESULT_VARIABLE result OUTPUT_VARIABLE listing ERROR_VARIABLE complaints)
  set(any FALSE)
  set(explained FALSE)
  moonshake_lines(lines "${listing}")
  foreach(line IN LISTS lines)
    if(line MATCHES "^{\"id\":")
      moonshake_plain(line "${line}")
      moonshake_add_case("${line}")
      set(any TRUE)
    endif()
  endforeach()
  moonshake_lines(lines "${complaints}")
  foreach(line IN LISTS lines)
    moonshake_plain(line "${line}")
    moonshake_add_unloaded("${line}" explained)
  endforeach()
  if(NOT explained AND NOT (any AND result STREQUAL "0"))
    string(SUBSTRING "${complaints}" 0 10000 complaints)
    moonshake_add_failure("${moonshake_NAME_PREFIX}${moonshake_DIR}" "${complaints}\
The listing ended with: ${result} (${moonshake_PROGRAM} list --format json -- ${moonshake_PATH})")
  endif()
endfunction()

moonshake_add_tests()
