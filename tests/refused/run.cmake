# Compiles each CASE of cases.cpp, without making anything of it, and compares what the compiler says.
# Called by ctest with: source, include, compiler.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${source} lines REGEX "^#(el)?if CASE == [0-9]+")
foreach(line IN LISTS lines)
  string(REGEX MATCH "CASE == ([0-9]+)( +// (.*))?$" match "${line}")
  set(case ${CMAKE_MATCH_1})
  set(expected "${CMAKE_MATCH_3}")
  execute_process(
    COMMAND ${compiler} -std=c++20 -fsyntax-only -D CASE=${case} -I ${include} ${source}
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(expected STREQUAL "")
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "case ${case} must compile:\n${said}")
    endif()
  else()
    string(FIND "${said}" "${expected}" place)
    if(status EQUAL 0 OR place EQUAL -1)
      message(FATAL_ERROR "case ${case} must be refused with: ${expected}\nthe compiler said:\n${said}")
    endif()
  endif()
endforeach()
list(LENGTH lines count)
message(STATUS "refused: ${count} cases")
