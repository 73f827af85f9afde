# Defines OpenBLAS::OpenBLAS. A machine may hold several BLAS libraries, each with a cblas.h; the one
# beside openblas_config.h is OpenBLAS's own. Installed with unroll, whose static library links it.

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PC_OPENBLAS QUIET openblas)
endif()

set(variants openblas openblas-pthread openblas-openmp openblas-serial)
if(CMAKE_LIBRARY_ARCHITECTURE)
  foreach(variant pthread openmp serial)
    list(APPEND variants ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-${variant})
  endforeach()
endif()

find_path(OpenBLAS_INCLUDE_DIR openblas_config.h
  HINTS ${PC_OPENBLAS_INCLUDEDIR} ${PC_OPENBLAS_INCLUDE_DIRS} PATH_SUFFIXES ${variants})
find_library(OpenBLAS_LIBRARY openblas
  HINTS ${PC_OPENBLAS_LIBDIR} ${PC_OPENBLAS_LIBRARY_DIRS} PATH_SUFFIXES ${variants})
mark_as_advanced(OpenBLAS_INCLUDE_DIR OpenBLAS_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLAS REQUIRED_VARS OpenBLAS_LIBRARY OpenBLAS_INCLUDE_DIR)

if(OpenBLAS_FOUND AND NOT TARGET OpenBLAS::OpenBLAS)
  add_library(OpenBLAS::OpenBLAS UNKNOWN IMPORTED)
  set_target_properties(OpenBLAS::OpenBLAS PROPERTIES
    IMPORTED_LOCATION ${OpenBLAS_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OpenBLAS_INCLUDE_DIR})
endif()
