// The header of a safetensors file. Nothing in a file is believed before it is checked: sizes are
// compared with what is there before any memory is taken for them.
#include <unroll/layers/safetensors.hpp>

#include <algorithm>
#include <bit>
#include <set>

#include <nlohmann/json.hpp>

namespace unroll::safetensors {

namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie");

constexpr std::uint64_t kPrefix = 8;
constexpr std::uint64_t kMostHeader = 100'000'000;  // as in the reference implementation
constexpr std::size_t kMostAxes = 64;

const char* dtype_of(Type type) {
  return type == float32 ? "F32" : type == float64 ? "F64" : "I64";
}

// JSON with distinct names and no deeper than a header is.
Json parse_json(const std::string& where, std::string_view text) {
  constexpr std::size_t kDeepest = 3;
  std::vector<std::set<std::string>> names;
  std::size_t depth = 0;
  auto check = [&](int, Json::parse_event_t event, Json& parsed) {
    switch (event) {
    case Json::parse_event_t::object_start:
      names.emplace_back();
      [[fallthrough]];
    case Json::parse_event_t::array_start:
      if (++depth > kDeepest) fail("load", where, ": its header is nested too deeply.");
      break;
    case Json::parse_event_t::object_end:
      names.pop_back();
      [[fallthrough]];
    case Json::parse_event_t::array_end:
      --depth;
      break;
    case Json::parse_event_t::key: {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names.back().insert(name).second)
        fail("load", where, ": its header has the name ", shown(name), " twice.");
      break;
    }
    default:
      break;
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::parse_error& e) {
    fail("load", where, ": its header is not JSON, at byte ", e.byte, ".");
  } catch (const Json::exception&) {
    fail("load", where, ": its header has a number that is out of range.");
  }
}

Type type_named(const std::string& where, const std::string& name, const Json& dtype) {
  for (Type type : {float32, float64, int64})
    if (dtype == dtype_of(type)) return type;
  if (!dtype.is_string()) fail("load", where, ": the dtype of ", shown(name), " is not a string.");
  fail("load", where, ": ", shown(name), " has elements ", shown(dtype.get<std::string>()),
       "; expected F32, F64 or I64.");
}

std::uint64_t checked_size(const std::string& where, const std::string& name, const Json& size) {
  if (!size.is_number_unsigned() || size.get<std::uint64_t>() > std::uint64_t{INT64_MAX})
    fail("load", where, ": ", shown(name),
         " has a size or offset that is not a whole number from 0 ", "to 2^63 - 1.");
  return size.get<std::uint64_t>();
}

Entry parse_entry(const std::string& where, const std::string& name, const Json& j) {
  if (!j.is_object() || j.size() != 3 || !j.contains("dtype") || !j.contains("shape") ||
      !j.contains("data_offsets"))
    fail("load", where, ": ", shown(name), " is not described by dtype, shape and data_offsets.");
  Entry entry;
  entry.name = name;
  entry.type = type_named(where, name, j["dtype"]);
  const Json &shape = j["shape"], &offsets = j["data_offsets"];
  if (!shape.is_array() || shape.size() > kMostAxes)
    fail("load", where, ": the shape of ", shown(name), " is not a list of at most ", kMostAxes,
         " sizes.");
  if (!offsets.is_array() || offsets.size() != 2)
    fail("load", where, ": the data_offsets of ", shown(name), " are not two numbers.");
  auto bytes = static_cast<std::uint64_t>(bytes_of(entry.type));
  Size extent = bytes_of(entry.type);  // as if no size were 0, because strides are such products
  bool overflow = false;
  for (const Json& size : shape) {
    std::uint64_t n = checked_size(where, name, size);
    overflow |= __builtin_mul_overflow(extent, std::max<std::uint64_t>(n, 1), &extent);
    bytes = overflow ? 0 : bytes * n;
    entry.shape.push_back(static_cast<Size>(n));
  }
  entry.begin = checked_size(where, name, offsets[0]);
  entry.end = checked_size(where, name, offsets[1]);
  if (overflow || entry.end < entry.begin || entry.end - entry.begin != bytes)
    fail("load", where, ": ", shown(name), " ", entry.type, " ", entry.shape,
         " does not fill bytes ", std::to_string(entry.begin), " to ", std::to_string(entry.end),
         ".");
  return entry;
}

Metadata parse_metadata(const std::string& where, const Json& j) {
  if (!j.is_object()) fail("load", where, ": its __metadata__ is not an object of strings.");
  Metadata metadata;
  for (const auto& [name, value] : j.items()) {
    if (!value.is_string())
      fail("load", where, ": the metadata ", shown(name), " is not a string.");
    metadata[name] = value.get<std::string>();
  }
  return metadata;
}

// Sorts the entries by place, and wants each to begin where the one before ends.
void check_places(const std::string& where, std::vector<Entry>& entries, std::uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (const Entry& e : entries) {
    if (e.end > data_bytes)
      fail("load", where, ": ", shown(e.name), " ends at byte ", std::to_string(e.end),
           " of the data, which has ", std::to_string(data_bytes), "; the file is cut short.");
    if (e.begin < at) fail("load", where, ": ", shown(e.name), " overlaps the array before it.");
    if (e.begin > at)
      fail("load", where, ": ", std::to_string(e.begin - at), " bytes before ", shown(e.name),
           " belong to no array.");
    at = e.end;
  }
  if (at < data_bytes)
    fail("load", where, ": ", std::to_string(data_bytes - at), " bytes follow the last array.");
}

// Words of 8 bytes into one number. Every step is reversible, so a single changed word always
// shows.
class Hash {
 public:
  void add(const void* data, std::size_t bytes) {
    word(bytes);
    const char* from = static_cast<const char*>(data);
    for (; bytes >= 8; from += 8, bytes -= 8) {
      std::uint64_t w;
      std::memcpy(&w, from, 8);
      word(w);
    }
    std::uint64_t rest = 0;
    if (bytes > 0) std::memcpy(&rest, from, bytes);
    word(rest);
  }
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::uint64_t value() const { return value_ ^ value_ >> 29; }

 private:
  void word(std::uint64_t w) { value_ = (std::rotl(value_, 23) ^ w) * 0x9e3779b97f4a7c15u; }
  std::uint64_t value_ = 0x243f6a8885a308d3u;
};

}  // namespace

std::string shown(const std::string& name) {
  std::string text = name.size() > 80 ? name.substr(0, 80) + "..." : name;
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return "'" + text + "'";
}

std::string checksum(const NamedArrays& arrays, const Metadata& metadata) {
  Hash hash;
  for (const auto& [name, text] : metadata) {
    if (name == kChecksum) continue;
    hash.add(name);
    hash.add(text);
  }
  for (const auto& [name, array] : arrays) {
    hash.add(name);
    hash.add(dtype_of(array.type()));
    hash.add(array.shape().data(), sizeof(Size) * static_cast<std::size_t>(array.rank()));
    hash.add(array.raw(), static_cast<std::size_t>(array.size() * bytes_of(array.type())));
  }
  std::string digits(16, '0');
  for (std::size_t k = 0; k < 16; ++k)
    digits[k] = "0123456789abcdef"[hash.value() >> (60 - 4 * k) & 15];
  return digits;
}

std::vector<Entry> place(const NamedArrays& arrays) {
  std::vector<Entry> entries;
  std::uint64_t at = 0;
  for (Size bytes : {8, 4})
    for (const auto& [name, array] : arrays) {
      if (bytes_of(array.type()) != bytes) continue;
      std::uint64_t end = at + static_cast<std::uint64_t>(array.size() * bytes);
      entries.push_back({name, array.type(), array.shape(), at, end});
      at = end;
    }
  return entries;
}

std::string format(const std::string& where, const std::vector<Entry>& entries,
                   const Metadata& metadata) {
  std::string text = "{";
  try {
    if (!metadata.empty()) text += "\"__metadata__\":" + Json(metadata).dump() + ",";
    for (const Entry& e : entries) {
      if (e.name == "__metadata__") fail("save", where, ": no array can be named __metadata__.");
      text += Json(e.name).dump() + ":" +
              Json({{"dtype", dtype_of(e.type)},
                    {"shape", std::vector<Size>(e.shape.begin(), e.shape.end())},
                    {"data_offsets", {e.begin, e.end}}})
                  .dump() +
              ",";
    }
  } catch (const Json::exception&) {
    fail("save", where, ": a name or a metadata text is not UTF-8.");
  }
  if (text.size() > 1) text.pop_back();
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kMostHeader)
    fail("save", where, ": names and metadata need ", text.size(), " bytes; at most ",
         std::to_string(kMostHeader), " are allowed.");
  std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

std::uint64_t header_length(const std::string& where, std::string_view first_bytes,
                            std::uint64_t file_bytes) {
  if (first_bytes.size() < kPrefix)
    fail("load", where, ": is ", std::to_string(file_bytes),
         " bytes long; a safetensors file begins ",
         "with 8 bytes that hold the length of its header.");
  std::uint64_t length;
  std::memcpy(&length, first_bytes.data(), sizeof length);
  if (length > kMostHeader || length > file_bytes - kPrefix)
    fail("load", where, ": its header would be ", std::to_string(length),
         " bytes long, in a file of ", std::to_string(file_bytes),
         "; it is cut short, or no safetensors file.");
  return length;
}

Header parse(const std::string& where, std::string_view text, std::uint64_t data_bytes) {
  if (text.empty() || text[0] != '{')
    fail("load", where, ": its header does not begin with '{'; it is no safetensors file.");
  // The parser would take it for the end of the text.
  if (auto zero = text.find('\0'); zero != text.npos)
    fail("load", where, ": its header is not JSON, at byte ", zero + 1, ".");
  Json j = parse_json(where, text);
  Header header;
  for (const auto& [name, value] : j.items()) {
    if (name == "__metadata__")
      header.metadata = parse_metadata(where, value);
    else
      header.entries.push_back(parse_entry(where, name, value));
  }
  check_places(where, header.entries, data_bytes);
  return header;
}

}  // namespace unroll::safetensors
