# What every folder uses: a library of its sources, a test program of its `*.test.cpp`, programs of single files.

# cafmcp_library(NAME [PUBLIC deps…] [PRECOMPILE headers…] [EXCLUDE files…])
# A static library `cafmcp_NAME` of all sources in the folder that are neither tests nor excluded.
function(cafmcp_library name)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRECOMPILE;EXCLUDE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(FILTER sources EXCLUDE REGEX "\\.test\\.cpp$")
  foreach(file ${arg_EXCLUDE})
    list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  add_library(cafmcp_${name} STATIC ${sources})
  target_link_libraries(cafmcp_${name} PUBLIC cafmcp_flags ${arg_PUBLIC})
  if(arg_PRECOMPILE)
    target_precompile_headers(cafmcp_${name} PRIVATE ${arg_PRECOMPILE})
  endif()
endfunction()

# cafmcp_program(NAME source… [LIBS libs…]): a program in build/bin.
function(cafmcp_program name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE cafmcp_flags ${arg_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endfunction()

# cafmcp_unit_tests(NAME [LIBS libs…]): one program of the folder's `*.test.cpp`, one ctest test for each suite.
# An unknown suite name makes CAF's runner exit 0, hence the FAIL_REGULAR_EXPRESSION.
function(cafmcp_unit_tests name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources} $<TARGET_OBJECTS:cafmcp_test_main>)
  target_link_libraries(test_${name} PRIVATE cafmcp_flags ${arg_LIBS} CAF::core)
  target_precompile_headers(test_${name} REUSE_FROM cafmcp_test_main)
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/test")
  set_property(GLOBAL APPEND PROPERTY cafmcp_unit_test_programs test_${name})
  foreach(source ${sources})
    file(STRINGS ${source} suite_line REGEX "^#define CAF_SUITE ")
    string(REGEX REPLACE "^#define CAF_SUITE +([A-Za-z0-9_]+).*" "\\1" suite "${suite_line}")
    if(NOT suite)
      message(FATAL_ERROR "${source} does not define CAF_SUITE")
    endif()
    add_test(NAME unit.${name}.${suite} COMMAND test_${name} -r 300 -v 3 -s "^${suite}$")
    set_tests_properties(unit.${name}.${suite} PROPERTIES
      TIMEOUT 300 LABELS unit FAIL_REGULAR_EXPRESSION "suites:  0"
      ENVIRONMENT "${CAFMCP_TEST_ENVIRONMENT}")
  endforeach()
endfunction()
