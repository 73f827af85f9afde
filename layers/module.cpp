// Registration of Parameters and submodules, and walks over them. Initialisers are in init.cpp.
#include <unroll/layers/module.hpp>

#include <algorithm>

namespace unroll {

namespace detail {

// Where a parent has registered a module: names belong to places, not to what stands there.
struct ModulePlace : Shared {
  ModuleNode* parent;  // nullptr when it is gone
  std::string name;
};

struct ModuleNode : Shared {
  struct Entry {  // a Parameter, or a child and its place
    std::string name;
    Parameter parameter;
    Ref<ModuleNode> child;
    Ref<ModulePlace> place;
  };
  const Module* module;    // whose it is, nullptr when that is gone
  Ref<ModulePlace> place;  // none if no parent has registered it
  std::vector<Entry> entries;
  // A module that was assigned to leaves this behind, so that its parent finds the new one.
  Ref<ModuleNode> replaced_by;

  explicit ModuleNode(const Module* module) : module(module) {}
  ~ModuleNode() override {
    for (Entry& e : entries)
      if (e.place) e.place->parent = nullptr;
  }

  const ModuleNode& current() const {
    const ModuleNode* node = this;
    while (node->replaced_by) node = node->replaced_by.get();
    return *node;
  }

  void collect(const std::string& prefix, std::vector<NamedParameter>& list) const {
    for (const Entry& e : entries) {
      if (e.child) {
        e.child->current().collect(prefix + e.name + ".", list);
        continue;
      }
      bool known = std::any_of(list.begin(), list.end(), [&](const NamedParameter& n) {
        return n.parameter.record() == e.parameter.record();
      });
      if (!known) list.push_back({prefix + e.name, e.parameter});
    }
  }

  std::string path() const {
    std::string path;
    for (const ModuleNode* node = this; node && node->place; node = node->place->parent)
      path = node->place->name + (path.empty() ? "" : ".") + path;
    return path;
  }

  /// Messages speak of a Parameter by its path, as far as it is known.
  void name_parameters() const {
    const std::string prefix = path();
    std::vector<NamedParameter> list;
    collect(prefix.empty() ? prefix : prefix + ".", list);
    for (const NamedParameter& p : list) p.parameter.data().name = p.name;
  }

  void put(const Ref<ModulePlace>& where, const Ref<ModuleNode>& child) {
    for (Entry& e : entries)
      if (e.place == where) e.child = child;
    child->place = where;
    child->name_parameters();
  }

  bool holds(const ModuleNode& other) const {
    return this == &other || std::any_of(entries.begin(), entries.end(), [&](const Entry& e) {
             return e.child && e.child->current().holds(other);
           });
  }

  void add(Entry entry) {
    if (entry.name.empty() || entry.name.find('.') != std::string::npos)
      fail("module", "'", entry.name, "' is no name; expected some letters without a dot.");
    for (const Entry& e : entries)
      if (e.name == entry.name)
        fail("module", "the name '", entry.name, "' is taken already; give each its own.");
    entries.push_back(std::move(entry));
  }
};

}  // namespace detail

namespace {

struct HeldInitialiser : Shared {
  Initialiser f;
};

// One stream a thread: what a program builds in one thread does not depend on its others.
Generator& default_generator() {
  thread_local Generator generator(20250101);
  return generator;
}

}  // namespace

Module::Module() : node_(new detail::ModuleNode(this)) {}
Module::Module(Module&& other) noexcept : node_(std::move(other.node_)) {
  if (!node_) return;
  other.left_ = node_->place;
  node_->module = this;
}
Module::~Module() {
  if (node_) node_->module = nullptr;
}

detail::Standing::Standing(const Module& module) : module_(&module), node_(&module.node()) {}
bool detail::Standing::holds() const {
  return !node_ || static_cast<const ModuleNode&>(*node_).module == module_;
}

Module& Module::operator=(Module&& other) noexcept {
  if (this == &other) return *this;
  Ref<detail::ModulePlace> here = std::move(left_), there;
  if (other.node_) there = other.node_->place;
  if (node_ && other.node_) {
    if (!there) {
      other.node_->place = node_->place;
      other.node_->name_parameters();
    }
    node_->replaced_by = other.node_;
  } else if (here && there && here->parent && here->parent == there->parent) {
    // As in a swap of two children. With another parent it is the parent itself that moves, and
    // brings its children along.
    here->parent->put(here, other.node_);
  }
  if (node_) node_->module = nullptr;
  node_ = std::move(other.node_);
  if (node_) node_->module = this;
  other.left_ = std::move(there);
  return *this;
}

detail::ModuleNode& Module::node() const {
  if (!node_) fail("module", "was moved from; use the one it was moved to.");
  return *node_;
}

Parameter Module::parameter(std::string name, const Shape& shape, const Initialiser& initialiser) {
  Array value(shape);
  initialiser(value, default_generator());
  Parameter parameter(name, value);
  auto* held = new HeldInitialiser;
  held->f = initialiser;
  parameter.data().initialiser = Ref<Shared>(held);
  node().add({std::move(name), parameter, {}, {}});
  return parameter;
}

void Module::register_submodule(std::string name, Module& child) {
  if (child.node().holds(node())) fail("module", "'", name, "' would be a part of itself.");
  auto* place = new detail::ModulePlace;
  place->parent = &node();
  place->name = name;
  Ref<detail::ModulePlace> held(place);
  node().add({std::move(name), {}, Ref<detail::ModuleNode>(&child.node()), held});
  child.node().place = held;
  child.node().name_parameters();
}

std::vector<NamedParameter> Module::named_parameters() const {
  std::vector<NamedParameter> list;
  node().collect("", list);
  return list;
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> list;
  for (NamedParameter& p : named_parameters()) list.push_back(std::move(p.parameter));
  return list;
}

Module::operator Variables() const {
  Variables list;
  for (const Parameter& p : parameters()) list.push_back(p);
  return list;
}

Size Module::parameter_count() const {
  Size count = 0;
  for (const Parameter& p : parameters()) count += p.size();
  return count;
}

const std::string& Module::name() const {
  static const std::string none;
  return node().place ? node().place->name : none;
}

std::string Module::path() const { return node().path(); }

void Module::initialise(Generator& generator) {
  for (Parameter& p : parameters()) {
    const auto* held = static_cast<const HeldInitialiser*>(p.data().initialiser.get());
    Array value = p.mutable_value();
    if (held) held->f(value, generator);
  }
}

void Module::to(Type type) {
  for (Parameter& p : parameters()) p.to(type);
}

void Module::zero_grad() const {
  for (const Parameter& p : parameters()) p.zero_grad();
}

Cell::Cell(Size in, Size hidden) : in(in), hidden(hidden) {
  if (in < 1 || hidden < 1)
    fail("cell", "sizes are in = ", in, ", hidden = ", hidden, "; expected positive numbers.");
}

void ParameterList::add(const std::vector<Parameter>& parameters) {
  for (const Parameter& p : parameters) {
    if (!p.is_parameter())
      fail("parameters",
           "an empty Parameter is in the list; declare it with parameter(name, shape).");
    bool known =
        std::any_of(begin(), end(), [&](const Parameter& q) { return q.record() == p.record(); });
    if (!known) push_back(p);
  }
}

void copy_parameters(const Module& from, Module& to) {
  std::vector<NamedParameter> sources = from.named_parameters(), targets = to.named_parameters();
  auto find = [](std::vector<NamedParameter>& list, const std::string& name) {
    auto found = std::find_if(list.begin(), list.end(),
                              [&](const NamedParameter& p) { return p.name == name; });
    return found == list.end() ? nullptr : &found->parameter;
  };
  for (const NamedParameter& s : sources) {
    Parameter* target = find(targets, s.name);
    if (!target)
      fail("copy_parameters", s.name, " ", s.parameter.shape(),
           " is not in the target; expected two ", "modules built alike.");
    if (target->shape() != s.parameter.shape())
      fail("copy_parameters", s.name, " is ", s.parameter.shape(), " in the source and ",
           target->shape(), " in the target; expected two modules built alike.");
  }
  for (const NamedParameter& t : targets)
    if (!find(sources, t.name))
      fail("copy_parameters", t.name, " ", t.parameter.shape(),
           " is not in the source; expected two ", "modules built alike.");
  for (const NamedParameter& s : sources) find(targets, s.name)->assign(s.parameter.value());
}

void freeze(const Module& module) {
  for (const Parameter& p : module.parameters()) freeze(p);
}

void unfreeze(const Module& module) {
  for (const Parameter& p : module.parameters()) unfreeze(p);
}

}  // namespace unroll
