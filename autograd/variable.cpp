// Records and Parameters; recording is in op.cpp, gradients in sweep.cpp.
#include <unroll/autograd/variable.hpp>

#include <algorithm>
#include <mutex>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/substitution.hpp>

namespace unroll {

namespace {

constexpr block::Size kRecord{0, 64};
static_assert(sizeof(Record) <= 128);  // a cache line and that payload

// Numbers of living Parameters are dense, so that a tape finds its slot by index; those that no
// optimiser holds are found again for the error about forgotten submodules.
struct Registry {
  std::mutex mutex;
  std::vector<Record*> by_number;
  std::vector<int> free;
};
Registry& registry() {
  static Registry* r = new Registry;  // outlives every static Parameter
  return *r;
}

[[gnu::noinline]] void free_leaf(const Record& record) {
  ParameterData* parameter = record.parameter();
  if (!parameter) {
    delete record.leaf;
    return;
  }
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  r.by_number[static_cast<std::size_t>(parameter->number)] = nullptr;
  r.free.push_back(parameter->number);
  delete parameter;
}

}  // namespace

Ref<Record> Record::make(Array&& value) {
  return Ref<Record>::first(new (block::take(kRecord)) Record(std::move(value)));
}

void Record::free(Record* record) {
  if (record->leaf) free_leaf(*record);
  record->~Record();
  block::free(record, kRecord.number);
}

bool Variable::is_recorded() const {
  if (!record_) return false;
  for (Tape* t = Tape::current(); t; t = t->impl().outer)
    if (record_->tape == t->impl().serial) return true;
  return false;
}

Parameter::Parameter(std::string name, Array value) : Variable(std::move(value)) {
  Record& r = *record();
  if (!is_float(r.value.type())) fail("parameter", name, " is int64; expected float32 or float64.");
  if (!r.value.buffer().unique() || !r.value.is_contiguous()) r.value = r.value.copy();
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  int number = static_cast<int>(all.by_number.size());
  if (all.free.empty()) {
    all.by_number.push_back(&r);
  } else {
    number = all.free.back();
    all.free.pop_back();
    all.by_number[static_cast<std::size_t>(number)] = &r;
  }
  r.leaf = new ParameterData{{{}, number}, std::move(name), false, 0, 0, {}};
}

Parameter::Parameter(const Variable& variable) : Variable(variable) {
  if (!is_parameter()) fail("parameter", "a value ", variable.text(), " is not a Parameter.");
}

void Parameter::assign(const Array& value) {
  Array& mine = checked()->value;
  if (value.shape() != mine.shape())
    fail("assign", name(), " has shape ", mine.shape(), "; cannot take a value ", value.shape(), ".");
  mine.assign(value);
}

void Parameter::to(Type type) {
  if (!is_float(type)) fail("parameter", name(), " cannot become int64.");
  Array& mine = checked()->value;
  if (mine.type() == type) return;
  Array converted = mine.to(type);
  converted.succeed(mine);
  mine = std::move(converted);
  Ref<Record>& gradient = data().gradient;
  if (gradient) gradient = Record::make(gradient->value.to(type));
}

void Parameter::set_grad(const Array& gradient) const {
  Record* r = checked();
  if (gradient.shape() != r->value.shape())
    fail("set_grad", name(), " has shape ", r->value.shape(), "; cannot take a gradient ",
         gradient.shape(), ".");
  r->leaf->gradient = Record::make(gradient.type() == r->value.type() ? gradient.copy()
                                                                : gradient.to(r->value.type()));
}

std::vector<Parameter> unheld_parameters(const std::vector<std::uint64_t>& sweeps) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::vector<Parameter> found;
  for (Record* r : all.by_number) {
    if (!r) continue;
    const ParameterData& data = *r->parameter();
    if (data.holders > 0 || data.frozen || !data.gradient) continue;
    if (std::find(sweeps.begin(), sweeps.end(), data.last_backward) != sweeps.end())
      found.emplace_back(Variable(Ref<Record>(r)));
  }
  // Numbers are handed out again, so their order says nothing.
  std::sort(found.begin(), found.end(),
            [](const Parameter& a, const Parameter& b) { return a.name() < b.name(); });
  return found;
}

Variable detach(const Variable& x) { return Variable(detail::read(x).value()); }

}  // namespace unroll
