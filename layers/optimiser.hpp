// Optimisers: they hold Parameters, and step() turns the gradients that backward() has summed up
// into new values. Clipping is in clip.hpp, learning rates over time are in schedule.hpp.
//
// In the formulas: w a Parameter, g its gradient, t the number of its updates so far (from 1),
// products, roots and quotients element by element. Members of options stand in alphabetical order.
#pragma once

#include <unroll/layers/module.hpp>
#include <unroll/layers/named_arrays.hpp>

namespace unroll {

/// What all optimisers share. To write one: derive, name the arrays it keeps for each Parameter,
/// and implement update().
class Optimiser {
 public:
  virtual ~Optimiser();
  Optimiser(const Optimiser&) = delete;  // two would apply one gradient twice
  Optimiser& operator=(const Optimiser&) = delete;

  /// Updates every Parameter that has a gradient and is not frozen, then clears all gradients.
  /// Throws Error, before anything changes, if the same backward sweeps gave a gradient to a
  /// Parameter that no optimiser holds: a forgotten submodule(...).
  virtual void step();
  /// Clears the gradients without applying them.
  void zero_grad();

  const std::vector<Parameter>& parameters() const { return parameters_; }
  double learning_rate() const { return learning_rate_; }
  /// For schedules: optimiser.set_learning_rate(schedule(epoch)).
  void set_learning_rate(double rate);

  /// Everything that step() remembers besides the Parameters themselves, for a checkpoint:
  /// "learning_rate", "steps" (per Parameter) and "<number>.<parameter>.<array>". Copies.
  NamedArrays state() const;
  /// Continues from what state() returned, of an optimiser of this kind over Parameters of the same
  /// names and shapes. Throws Error listing all that does not fit, and then changes nothing.
  void set_state(const NamedArrays& state);

 protected:
  /// An array kept for each Parameter: of its shape and type, or one float64 number.
  struct Buffer {
    const char* name;
    double initial = 0;
    bool scalar = false;
  };
  /// `name` stands in errors. Throws Error for an empty list.
  Optimiser(const char* name, const ParameterList& parameters, double learning_rate,
            std::vector<Buffer> buffers);
  /// An option that must be a finite number >= 0, and less than `below` if that is given.
  struct Option {
    const char* name;
    double value;
    double below = 0;
  };
  /// Throws Error("[name] option is value; expected ...") if one does not.
  void require(std::initializer_list<Option> options) const;

  /// One Parameter's turn: arrays are contiguous, of one type and (but for scalars) one shape.
  struct Update {
    Array& value;
    const Array& gradient;
    std::vector<Array>& buffers;  ///< in the order they were named
    Size t;                       ///< 1 at the first update of this Parameter
  };
  virtual void update(const Update& u) = 0;

 private:
  struct Memory {
    std::vector<Array> buffers;  ///< none before the first update
    Size steps = 0;
  };
  void check_unheld() const;
  void prepare(Memory& memory, const Array& value) const;
  std::string key(std::size_t k, const Buffer& buffer) const;

  const char* name_;
  std::vector<Parameter> parameters_;
  std::vector<Memory> memory_;
  std::vector<Buffer> buffers_;
  double learning_rate_;
};

struct SGDOptions {
  double dampening = 0;
  double learning_rate = 1e-3;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
};

/// Gradient descent with momentum (Polyak 1964; Nesterov's form as in Sutskever et al. 2013):
///   g += weight_decay w;  m = momentum m + (1 - dampening) g, at first m = g;
///   w -= learning_rate m, with nesterov w -= learning_rate (g + momentum m).
class SGD final : public Optimiser {
 public:
  explicit SGD(const ParameterList& parameters, const SGDOptions& options = {});
  explicit SGD(ParameterList::Items items, const SGDOptions& options = {})
      : SGD(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  SGDOptions options_;
};

struct AdagradOptions {
  double epsilon = 1e-10;
  double initial_accumulator = 0;
  double learning_rate = 1e-2;
  double learning_rate_decay = 0;
  double weight_decay = 0;
};

/// Duchi, Hazan, Singer 2011:
///   g += weight_decay w;  s += g^2, from initial_accumulator;
///   w -= learning_rate / (1 + (t - 1) learning_rate_decay) g / (sqrt(s) + epsilon).
class Adagrad final : public Optimiser {
 public:
  explicit Adagrad(const ParameterList& parameters, const AdagradOptions& options = {});
  explicit Adagrad(ParameterList::Items items, const AdagradOptions& options = {})
      : Adagrad(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  AdagradOptions options_;
};

struct RMSpropOptions {
  double alpha = 0.99;
  bool centered = false;
  double epsilon = 1e-8;
  double learning_rate = 1e-2;
  double momentum = 0;
  double weight_decay = 0;
};

/// Hinton, lecture 6e of "Neural networks for machine learning", 2012; centered: Graves 2013:
///   g += weight_decay w;  s = alpha s + (1 - alpha) g^2;
///   centered: a = alpha a + (1 - alpha) g, and s - a^2 takes the place of s;
///   m = momentum m + g / (sqrt(s) + epsilon);  w -= learning_rate m.
class RMSprop final : public Optimiser {
 public:
  explicit RMSprop(const ParameterList& parameters, const RMSpropOptions& options = {});
  explicit RMSprop(ParameterList::Items items, const RMSpropOptions& options = {})
      : RMSprop(ParameterList(items), options) {}

 private:
  static std::vector<Buffer> buffers(const RMSpropOptions& options);
  void update(const Update& u) override;
  RMSpropOptions options_;
};

struct AdamOptions {
  bool amsgrad = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double learning_rate = 1e-3;
  double weight_decay = 0;
};

/// Kingma, Ba 2015; amsgrad: Reddi, Kale, Kumar 2018:
///   g += weight_decay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
///   amsgrad: the largest v so far takes the place of v below;
///   w -= learning_rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
class Adam final : public Optimiser {
 public:
  explicit Adam(const ParameterList& parameters, const AdamOptions& options = {});
  explicit Adam(ParameterList::Items items, const AdamOptions& options = {})
      : Adam(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  AdamOptions options_;
};

struct AdamWOptions {
  bool amsgrad = false;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double learning_rate = 1e-3;
  double weight_decay = 1e-2;
};

/// Adam with decoupled weight decay (Loshchilov, Hutter 2019): w *= 1 - learning_rate weight_decay
/// instead of changing g, then as Adam.
class AdamW final : public Optimiser {
 public:
  explicit AdamW(const ParameterList& parameters, const AdamWOptions& options = {});
  explicit AdamW(ParameterList::Items items, const AdamWOptions& options = {})
      : AdamW(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  AdamWOptions options_;
};

struct AdamaxOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double learning_rate = 2e-3;
  double weight_decay = 0;
};

/// Adam by the infinity norm (Kingma, Ba 2015, section 7):
///   g += weight_decay w;  m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + epsilon);
///   w -= learning_rate / (1 - beta1^t) m / u.
class Adamax final : public Optimiser {
 public:
  explicit Adamax(const ParameterList& parameters, const AdamaxOptions& options = {});
  explicit Adamax(ParameterList::Items items, const AdamaxOptions& options = {})
      : Adamax(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  AdamaxOptions options_;
};

struct AdadeltaOptions {
  double epsilon = 1e-6;
  double learning_rate = 1;
  double rho = 0.9;
  double weight_decay = 0;
};

/// Zeiler 2012:
///   g += weight_decay w;  s = rho s + (1 - rho) g^2;  d = g sqrt(a + epsilon) / sqrt(s + epsilon);
///   a = rho a + (1 - rho) d^2;  w -= learning_rate d.
class Adadelta final : public Optimiser {
 public:
  explicit Adadelta(const ParameterList& parameters, const AdadeltaOptions& options = {});
  explicit Adadelta(ParameterList::Items items, const AdadeltaOptions& options = {})
      : Adadelta(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  AdadeltaOptions options_;
};

struct NAdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double learning_rate = 2e-3;
  double momentum_decay = 4e-3;
  double weight_decay = 0;
};

/// Adam with Nesterov's momentum (Dozat 2016):
///   g += weight_decay w;  c_t = beta1 (1 - 0.96^(t momentum_decay) / 2);  p = c_1 c_2 ... c_t;
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
///   w -= learning_rate ((1 - c_t) g / (1 - p) + c_(t+1) m / (1 - p c_t c_(t+1)))
///        / (sqrt(v / (1 - beta2^t)) + epsilon).
/// The second c_t in the correction of m is not Dozat's: PyTorch 1.13 has it, and its numbers are
/// the ones this is tested against. It fades within some steps.
class NAdam final : public Optimiser {
 public:
  explicit NAdam(const ParameterList& parameters, const NAdamOptions& options = {});
  explicit NAdam(ParameterList::Items items, const NAdamOptions& options = {})
      : NAdam(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  NAdamOptions options_;
};

struct RAdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double learning_rate = 1e-3;
  double weight_decay = 0;
};

/// Rectified Adam (Liu et al. 2020):
///   g += weight_decay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
///   R = 2 / (1 - beta2) - 1;  r = R - 2 t beta2^t / (1 - beta2^t);
///   r > 5: w -= learning_rate m / (1 - beta1^t) sqrt(1 - beta2^t) / (sqrt(v) + epsilon)
///               sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r));
///   else:  w -= learning_rate m / (1 - beta1^t).
class RAdam final : public Optimiser {
 public:
  explicit RAdam(const ParameterList& parameters, const RAdamOptions& options = {});
  explicit RAdam(ParameterList::Items items, const RAdamOptions& options = {})
      : RAdam(ParameterList(items), options) {}

 private:
  void update(const Update& u) override;
  RAdamOptions options_;
};

}  // namespace unroll
