// Golden group `ops`: finds the kind by the op that the metadata names. The kinds are in ops_*.cpp.
#include "ops.hpp"

namespace golden {
namespace {

const Kinds& kinds() {
  static const Kinds all = [] {
    Kinds kinds;
    for (const Kinds& some :
         {elementwise_kinds(), reduce_kinds(), move_kinds(), index_kinds(), graph_kinds()})
      kinds.insert(some.begin(), some.end());
    return kinds;
  }();
  return all;
}

void run_ops(Run& run) {
  const std::string op = run.c.says("op", run.c.name.substr(0, run.c.name.find("__")));
  const auto kind = kinds().find(op);
  if (kind == kinds().end()) throw Unknown("op " + op);
  run.differentiate([&] { kind->second(run); });
}

const Handler handler{"ops", run_ops};

}  // namespace
}  // namespace golden
