// What the handlers of group `ops` share: their attributes, and the table of kinds by op name,
// filled from ops_elementwise.cpp, ops_reduce.cpp and ops_move.cpp.
#pragma once

#include <functional>

#include "run.hpp"

namespace golden {

using Compute = std::function<void(Run&)>;
using Kinds = std::map<std::string, Compute>;

/// tanh, exp, ... by their names here; nullptr for any other.
Variable (*unary_op(const std::string& name))(const Variable&);

Kinds elementwise_kinds();
Kinds reduce_kinds();
Kinds move_kinds();
Kinds index_kinds();
Kinds graph_kinds();

/// The metadata's attrs, an object.
inline Json attributes(const Run& run) { return run.c.says("attrs", Json::object()); }
/// attrs.axis; a handler that needs one does not know cases without.
inline Size axis_of(const Run& run) {
  const Json attrs = attributes(run);
  if (!attrs.contains("axis") || !attrs["axis"].is_number()) throw Unknown("no attrs.axis");
  return attrs["axis"];
}

/// Computes each out.* of the file by its name; a name that is not in the table makes the case one
/// of an unknown kind.
using Named = std::map<std::string, std::function<Variable()>>;
inline void out_by_name(Run& run, const Named& table) {
  for (const std::string& name : run.c.names("out.")) {
    auto found = table.find(name);
    if (found == table.end()) throw Unknown("an output named " + name);
    run.out(name, found->second());
  }
}

}  // namespace golden
