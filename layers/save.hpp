// Models and arrays in files: safetensors, a JSON header and raw numbers, readable from Python and
// refused with one clear line if anything about a file is wrong. What a program writes into the
// metadata is its own business.
//
// Files are written beside their place, synced and renamed: a crash leaves the old file or the new.
// A checksum of everything lies in the metadata, as "unroll.checksum"; it is verified when there is
// one, and neither given nor handed out.
#pragma once

#include <string_view>

#include <unroll/layers/module.hpp>
#include <unroll/layers/named_arrays.hpp>

namespace unroll {

/// The content of a safetensors file.
struct SafeTensors {
  NamedArrays arrays;
  Metadata metadata;
};

/// Writes all Parameters of a Module under their names. Throws Error naming the path, and then has
/// changed no file.
void save(const Module& module, const std::string& path, const Metadata& metadata = {});
/// Reads them back, converted to the element types of the Module, and returns the metadata. Throws
/// Error for a broken file, or one that lists every missing and unexpected name and every wrong
/// shape; the Module is changed only if all fits.
Metadata load(Module& module, const std::string& path);

/// Writes arrays of any of the three element types. Throws Error as save().
void save_arrays(const NamedArrays& arrays, const Metadata& metadata, const std::string& path);
/// Reads arrays of F32, F64 and I64. Throws Error("[load] path: what is wrong") for a missing or
/// broken file.
SafeTensors load_arrays(const std::string& path);
/// The metadata alone, say to build the Module that load() needs. Checks the header as
/// load_arrays() does, but reads no numbers.
Metadata load_metadata(const std::string& path);

/// The bytes of such a file, and back; `name` stands for the path in errors.
std::string to_safetensors(const NamedArrays& arrays, const Metadata& metadata = {});
SafeTensors from_safetensors(std::string_view bytes, const std::string& name = "bytes");

}  // namespace unroll
