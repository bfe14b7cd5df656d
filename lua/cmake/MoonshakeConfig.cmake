# SPDX-License-Identifier: MIT
# The package Moonshake: what find_package(Moonshake) gives. scenarios/README.md shows it in use.
#
#   moonshake_discover_scenarios(DIR
#     [NAME_PREFIX text]           before the name of each test, which is else the id of its case
#     [TIMEOUT seconds]            for each case, instead of its own
#     [LABELS label...]            besides the case's tags
#     [PROPERTIES name value...]   for each test: ENVIRONMENT, PROCESSORS, RUN_SERIAL, ...
#     [OPTIONS option...]          more for `moonshake run`
#     [WORKING_DIRECTORY dir]      what ids are relative to; default: the current source directory
#     [DISCOVERY_TIMEOUT seconds]  for the listing; default: 60
#     [PROGRAM path])              default: the moonshake of this package, else the one in PATH
#
# makes each case of the scenarios in DIR a test. Which cases there are is asked when ctest runs, so
# a new one needs neither CMake nor a build.

# `text` as an argument in quotes.
function(_moonshake_quote variable text)
  string(REGEX REPLACE "([\"$\\])" "\\\\\\1" text "${text}")
  set(${variable} "\"${text}\"" PARENT_SCOPE)
endfunction()

function(_moonshake_check_arguments)
  if(DEFINED arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "moonshake_discover_scenarios: unknown argument: ${arg_UNPARSED_ARGUMENTS}")
  elseif(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "moonshake_discover_scenarios: no value: ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  foreach(name TIMEOUT DISCOVERY_TIMEOUT)
    if(DEFINED arg_${name} AND NOT arg_${name} MATCHES "^[1-9][0-9]*$")
      message(FATAL_ERROR "moonshake_discover_scenarios: ${name}: whole seconds above 0 wanted, "
                          "got ${arg_${name}}")
    endif()
  endforeach()
  list(LENGTH arg_PROPERTIES count)
  math(EXPR odd "${count} % 2")
  if(odd)
    message(FATAL_ERROR "moonshake_discover_scenarios: PROPERTIES: each name wants a value")
  endif()
endfunction()

function(moonshake_discover_scenarios dir)
  cmake_parse_arguments(PARSE_ARGV 1 arg ""
                        "NAME_PREFIX;TIMEOUT;WORKING_DIRECTORY;DISCOVERY_TIMEOUT;PROGRAM"
                        "LABELS;PROPERTIES;OPTIONS")
  _moonshake_check_arguments()
  if(NOT DEFINED arg_PROGRAM)
    get_filename_component(here "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin" ABSOLUTE)
    find_program(arg_PROGRAM moonshake PATHS "${here}" NO_DEFAULT_PATH NO_CACHE)
    find_program(arg_PROGRAM moonshake NO_CACHE REQUIRED)
  endif()
  if(NOT DEFINED arg_DISCOVERY_TIMEOUT)
    set(arg_DISCOVERY_TIMEOUT 60)
  endif()
  set(arg_CMAKE "${CMAKE_COMMAND}")
  set(arg_DIR "${dir}")
  get_filename_component(arg_PATH "${dir}" ABSOLUTE)
  get_filename_component(arg_WORKING_DIRECTORY "${arg_WORKING_DIRECTORY}" ABSOLUTE)

  # What ctest reads: the arguments, and the file that works with them.
  set(script "")
  foreach(name CMAKE DIR PATH NAME_PREFIX TIMEOUT LABELS PROPERTIES OPTIONS WORKING_DIRECTORY
               DISCOVERY_TIMEOUT PROGRAM)
    _moonshake_quote(value "${arg_${name}}")
    string(APPEND script "set(moonshake_${name} ${value})\n")
  endforeach()
  _moonshake_quote(discover "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/MoonshakeDiscover.cmake")
  string(APPEND script "include(${discover})\n")
  get_directory_property(scripts TEST_INCLUDE_FILES)
  list(LENGTH scripts number)
  set(path "${CMAKE_CURRENT_BINARY_DIR}/moonshake-${number}.cmake")
  file(WRITE "${path}" "${script}")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${path}")
endfunction()
