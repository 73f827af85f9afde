# Defines LIBXSMM::LIBXSMM, a generator of small matrix products (Debian: libxsmm-dev). Installed with
# unroll, whose static library links it. Needs OpenBLAS::OpenBLAS, to which libxsmm hands large products.

find_path(LIBXSMM_INCLUDE_DIR libxsmm.h PATH_SUFFIXES libxsmm)
find_library(LIBXSMM_LIBRARY xsmm)
mark_as_advanced(LIBXSMM_INCLUDE_DIR LIBXSMM_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LIBXSMM REQUIRED_VARS LIBXSMM_LIBRARY LIBXSMM_INCLUDE_DIR)

if(LIBXSMM_FOUND AND NOT TARGET LIBXSMM::LIBXSMM)
  add_library(LIBXSMM::LIBXSMM UNKNOWN IMPORTED)
  set_target_properties(LIBXSMM::LIBXSMM PROPERTIES
    IMPORTED_LOCATION ${LIBXSMM_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${LIBXSMM_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "OpenBLAS::OpenBLAS;Threads::Threads;${CMAKE_DL_LIBS};m")
endif()
