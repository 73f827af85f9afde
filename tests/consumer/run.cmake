# Installs the build into an empty prefix, then configures, builds and runs the project beside this
# file against it. Called by ctest with: source, work (scratch), built (our build folder), compiler.
cmake_minimum_required(VERSION 3.25)

set(ENV{CCACHE_DISABLE} 1)  # the compile time reported must be a real one
foreach(name CMAKE_PREFIX_PATH unroll_DIR unroll_ROOT)
  unset(ENV{${name}})
endforeach()

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${work})
run(${CMAKE_COMMAND} --install ${built} --prefix ${work}/prefix)
run(${CMAKE_COMMAND} -G Ninja -S ${source} -B ${work}/build -D CMAKE_BUILD_TYPE=Release
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_PREFIX_PATH=${work}/prefix)
run(${CMAKE_COMMAND} --build ${work}/build)

# A line of ninja's log is: start and end in milliseconds, time of the file, its name, a hash.
file(STRINGS ${work}/build/.ninja_log line REGEX "main.cpp.o")
string(REGEX MATCH "^([0-9]+)[ \t]+([0-9]+)" line "${line}")
math(EXPR milliseconds "${CMAKE_MATCH_2} - ${CMAKE_MATCH_1}")
message(STATUS "consumer: main.cpp compiled in ${milliseconds} ms (should stay below 6000)")

# The weights of a cell that is not initialised by a generator are always the same.
run(${work}/build/app)
if(NOT output MATCHES "^gradient norm 5\\.6766")
  message(FATAL_ERROR "consumer: printed ${output}expected gradient norm 5.6766..")
endif()
