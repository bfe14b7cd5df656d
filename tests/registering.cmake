# SPDX-License-Identifier: MIT
# How tests are registered. All run at the top of the tree.
# Workers are watched too, which fail the run by their exit status, 99 (tests/meta/CMakeLists.txt has
# the proof); the system's programs, which scenarios start, are not.
find_program(VALGRIND valgrind)
set(VALGRIND_COMMAND ${VALGRIND} --quiet --error-exitcode=99 --leak-check=full
                     --errors-for-leak-kinds=definite,indirect,possible --trace-children=yes
                     --trace-children-skip=/bin/*,/usr/bin/*,/usr/local/bin/*,/usr/sbin/*)

function(add_here name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

# A test that says why it cannot run here.
function(add_skipped name reason)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${reason}")
  set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
endfunction()

# With the module in a stock interpreter; not with sanitizers, whose runtime it does not have.
function(add_with_stock_lua name)
  if(MOONSHAKE_SANITIZE)
    return()
  endif()
  add_here(${name} ${ARGN})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "LUA_PATH=${CMAKE_SOURCE_DIR}/lua/?.lua\;${CMAKE_SOURCE_DIR}/lua/?/init.lua\;\;;LUA_CPATH=${CMAKE_BINARY_DIR}/lua/?.so\;\;")
endfunction()

# Label: "valgrind" for what tests/run always does, "valgrind-all" for what --all adds.
function(add_with_valgrind name label)
  if(MOONSHAKE_SANITIZE)
    return()
  endif()
  if(VALGRIND)
    add_here(valgrind/${name} ${VALGRIND_COMMAND} ${ARGN})
  else()
    add_skipped(valgrind/${name} "there is no valgrind")
  endif()
  set_tests_properties(valgrind/${name} PROPERTIES LABELS ${label} TIMEOUT 3600)
endfunction()

# The first case of a folder of scenarios.
function(add_first_case_with_valgrind folder)
  if(VALGRIND AND NOT MOONSHAKE_SANITIZE)
    add_here(valgrind/${folder} sh -c
             [=[id=$("$1" list "$2" | head -n 1) && [ -n "$id" ] && shift 2 && exec "$@" "$id"]=] sh
             $<TARGET_FILE:moonshake> ${folder} ${VALGRIND_COMMAND} $<TARGET_FILE:moonshake>
             run --timeout 3000)
    set_tests_properties(valgrind/${folder} PROPERTIES LABELS valgrind TIMEOUT 3600)
  endif()
endfunction()
