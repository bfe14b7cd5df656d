# SPDX-License-Identifier: MIT
# Checks of the sources; once, with the build as it is shipped.
if(MOONSHAKE_SANITIZE)
  return()
endif()
find_program(LUACHECK luacheck)
find_program(CLANG_FORMAT NAMES clang-format-14 clang-format)
find_program(CLANG_TIDY NAMES clang-tidy-14 clang-tidy)

foreach(check layers docs habits)
  add_here(lint/${check} ${LUA_INTERPRETER} tests/lint/${check}.lua)
  set_tests_properties(lint/${check} PROPERTIES ENVIRONMENT
    "LUA_PATH=${CMAKE_SOURCE_DIR}/tests/lint/?.lua\;${CMAKE_SOURCE_DIR}/lua/?.lua\;\;")
endforeach()

if(LUACHECK)
  add_here(lint/luacheck ${LUACHECK} --no-color --quiet lua tests scenarios)
else()
  add_skipped(lint/luacheck "there is no luacheck")
endif()

# Another version formats otherwise.
set(format_version "")
if(CLANG_FORMAT)
  execute_process(COMMAND ${CLANG_FORMAT} --version OUTPUT_VARIABLE format_version)
endif()
file(GLOB_RECURSE c_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/core/*.[ch] ${CMAKE_SOURCE_DIR}/lua/*.[ch] ${CMAKE_SOURCE_DIR}/tests/*.[ch])
if(format_version MATCHES "version 14\\.")
  add_here(lint/format ${CLANG_FORMAT} --dry-run --Werror ${c_files})
else()
  add_skipped(lint/format "there is no clang-format 14")
endif()

# clang-tidy, a file a test.
file(GLOB_RECURSE tidy_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/core/*.c ${CMAKE_SOURCE_DIR}/lua/*.c)
foreach(file ${tidy_files})
  if(CLANG_TIDY)
    add_here(lint/tidy/${file} ${CLANG_TIDY} --quiet -p ${CMAKE_BINARY_DIR} ${file})
  else()
    add_skipped(lint/tidy/${file} "there is no clang-tidy")
  endif()
endforeach()
