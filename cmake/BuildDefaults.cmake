# What holds for every build of this tree: never -O0, warnings on our own code, ccache where there is one.

if(PROJECT_IS_TOP_LEVEL)
  # Fused code without optimisation runs hundreds of times slower: the empty build type becomes Release,
  # and Debug is -Og.
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set_property(CACHE CMAKE_BUILD_TYPE PROPERTY VALUE Release)
  endif()
  if(NOT CMAKE_CXX_FLAGS_DEBUG MATCHES "-O")
    string(APPEND CMAKE_CXX_FLAGS_DEBUG " -Og")
  endif()
  string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
  if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}" MATCHES "-O0")
    message(FATAL_ERROR "unroll is not built with -O0; CMAKE_BUILD_TYPE=Debug means -Og")
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

# ccache, unless a launcher was chosen already. Two things it must be told: paths under this tree count
# as relative, so a second clone finds what the first one compiled; and -march=native means another
# program on another processor, so the processor is part of the key.
find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(PROJECT_IS_TOP_LEVEL AND CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(processor "")
  if(UNROLL_NATIVE AND EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo processor REGEX "^(vendor_id|cpu family|model|flags|Features)[ \t]*:")
    list(REMOVE_DUPLICATES processor)
  endif()
  string(MD5 processor "${processor}")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NAMESPACE=unroll-${processor} ${CCACHE})
endif()

# For targets of this tree, never for those who link them.
function(unroll_own_target target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
  # Debug information names files from the root of the tree, wherever it lies: else no other clone
  # could use what ccache keeps.
  target_compile_options(${target} PRIVATE
    $<$<NOT:$<CONFIG:Release>>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.>)
  # g++ 12 sees overlapping copies in `"text" + std::string` (its bug 105651, mended in 13).
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()
