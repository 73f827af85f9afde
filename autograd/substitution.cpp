// The list of what a thread reads in the place of Parameters. Where it is asked is op.cpp.
#include <unroll/autograd/substitution.hpp>

#include <unroll/autograd/op.hpp>

namespace unroll {

namespace detail {

constinit thread_local Reading* reading = nullptr;

Reading::Reading() : outer_(std::exchange(reading, this)) {}

Reading::~Reading() {
  Reading** link = &reading;  // destroyed out of order: the younger ones skip this one
  while (*link && *link != this) link = &(*link)->outer_;
  if (*link) *link = outer_;
}

const Variable& Reading::read_outside(const Variable& x) const {
  for (Reading* r = outer_; r; r = r->outer_)
    if (const Variable* found = r->find(x)) return *found;
  return x;
}

const Variable& find_reading(const Variable& x) {
  const Variable* found = reading->find(x);
  return found ? *found : reading->read_outside(x);
}

}  // namespace detail

namespace {

std::vector<Substitution::Pair> read_now(std::vector<Substitution::Pair> pairs) {
  for (Substitution::Pair& p : pairs) {
    if (p.value.empty() || p.value.shape() != p.parameter.shape() ||
        p.value.type() != p.parameter.type())
      fail("substitution", p.parameter.name(), " is ", p.parameter.type(), " ", p.parameter.shape(),
           ", the value in its place ",
           p.value.empty() ? std::string("empty") : join(p.value.type(), " ", p.value.shape()),
           "; expected the same.");
    // As the numbers of a Parameter always are; and as an older Substitution says, like any op.
    p.value = contiguous(p.value);
  }
  return pairs;
}

}  // namespace

Substitution::Substitution(const Parameter& parameter, const Variable& value)
    : Substitution(std::vector<Pair>{{parameter, value}}) {}

Substitution::Substitution(std::vector<Pair> pairs)
    : Substitution(read_now(std::move(pairs)), AreRead()) {}

const Variable* Substitution::find(const Variable& parameter) {
  for (const Pair& p : pairs_)
    if (p.parameter.record() == parameter.record()) return &p.value;
  return nullptr;
}

}  // namespace unroll
