// The updates of SGD and of the optimisers that only scale by the size of recent gradients.
// Formulas and sources are in optimiser.hpp; coefficients are worked out in float64 once per
// Parameter.
#include <unroll/layers/updates.hpp>

namespace unroll {

using updates::fused;
using updates::larger;

// ---- SGD ----

SGD::SGD(const ParameterList& parameters, const SGDOptions& o)
    : Optimiser("sgd", parameters, o.learning_rate,
                o.momentum > 0 ? std::vector<Buffer>{{"momentum"}} : std::vector<Buffer>{}),
      options_(o) {
  require(
      {{"dampening", o.dampening, 1}, {"momentum", o.momentum}, {"weight_decay", o.weight_decay}});
  if (o.nesterov && (o.momentum == 0 || o.dampening != 0))
    fail("sgd", "nesterov has momentum ", o.momentum, " and dampening ", o.dampening,
         "; expected a momentum above 0 and no dampening.");
}

void SGD::update(const Update& u) {
  const SGDOptions& o = options_;
  const bool first = u.t == 1;
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(learning_rate()), decay = T(o.weight_decay), momentum = T(o.momentum);
    const T kept = first ? T(0) : momentum, added = first ? T(1) : T(1 - o.dampening);
    if (o.momentum == 0) {
      pass([=](auto g, auto& w) { w -= rate * (g + decay * w); });
    } else if (o.nesterov) {
      pass([=](auto g, auto& w, auto& m) {
        g += decay * w;
        m = kept * m + added * g;
        w -= rate * (g + momentum * m);
      });
    } else {
      pass([=](auto g, auto& w, auto& m) {
        m = kept * m + added * (g + decay * w);
        w -= rate * m;
      });
    }
  });
}

// ---- scaled by the size of the gradients: Adagrad, RMSprop, Adadelta ----

Adagrad::Adagrad(const ParameterList& parameters, const AdagradOptions& o)
    : Optimiser("adagrad", parameters, o.learning_rate, {{"square", o.initial_accumulator}}),
      options_(o) {
  require({{"epsilon", o.epsilon},
           {"initial_accumulator", o.initial_accumulator},
           {"learning_rate_decay", o.learning_rate_decay},
           {"weight_decay", o.weight_decay}});
}

void Adagrad::update(const Update& u) {
  const AdagradOptions& o = options_;
  const double decayed = learning_rate() / (1 + double(u.t - 1) * o.learning_rate_decay);
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(decayed), epsilon = T(o.epsilon), decay = T(o.weight_decay);
    pass([=](auto g, auto& w, auto& s) {
      g += decay * w;
      s += g * g;
      w -= rate * g / (sqrt(s) + epsilon);
    });
  });
}

RMSprop::RMSprop(const ParameterList& parameters, const RMSpropOptions& o)
    : Optimiser("rmsprop", parameters, o.learning_rate, buffers(o)), options_(o) {
  require({{"alpha", o.alpha, 1},
           {"epsilon", o.epsilon},
           {"momentum", o.momentum},
           {"weight_decay", o.weight_decay}});
}

std::vector<Optimiser::Buffer> RMSprop::buffers(const RMSpropOptions& o) {
  std::vector<Buffer> list{{"square"}};
  if (o.centered) list.push_back({"mean"});
  if (o.momentum > 0) list.push_back({"momentum"});
  return list;
}

void RMSprop::update(const Update& u) {
  const RMSpropOptions& o = options_;
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(learning_rate()), momentum = T(o.momentum), decay = T(o.weight_decay);
    const T alpha = T(o.alpha), added = T(1 - o.alpha), epsilon = T(o.epsilon);
    auto plain = [=](auto g, auto& w, auto& s) {
      g += decay * w;
      s = alpha * s + added * g * g;
      return g / (sqrt(s) + epsilon);
    };
    auto centered = [=](auto g, auto& w, auto& s, auto& a) {
      g += decay * w;
      s = alpha * s + added * g * g;
      a = alpha * a + added * g;
      // Rounding may take the variance below 0.
      return g / (sqrt(larger(decltype(g)(T(0)), s - a * a)) + epsilon);
    };
    if (o.centered && o.momentum > 0) {
      pass([=](auto g, auto& w, auto& s, auto& a, auto& m) {
        m = momentum * m + centered(g, w, s, a);
        w -= rate * m;
      });
    } else if (o.centered) {
      pass([=](auto g, auto& w, auto& s, auto& a) { w -= rate * centered(g, w, s, a); });
    } else if (o.momentum > 0) {
      pass([=](auto g, auto& w, auto& s, auto& m) {
        m = momentum * m + plain(g, w, s);
        w -= rate * m;
      });
    } else {
      pass([=](auto g, auto& w, auto& s) { w -= rate * plain(g, w, s); });
    }
  });
}

Adadelta::Adadelta(const ParameterList& parameters, const AdadeltaOptions& o)
    : Optimiser("adadelta", parameters, o.learning_rate, {{"square"}, {"step"}}), options_(o) {
  require({{"epsilon", o.epsilon}, {"rho", o.rho, 1}, {"weight_decay", o.weight_decay}});
}

void Adadelta::update(const Update& u) {
  const AdadeltaOptions& o = options_;
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(learning_rate()), epsilon = T(o.epsilon), decay = T(o.weight_decay);
    const T rho = T(o.rho), added = T(1 - o.rho);
    pass([=](auto g, auto& w, auto& s, auto& a) {
      g += decay * w;
      s = rho * s + added * g * g;
      auto d = g * (sqrt(a + epsilon) / sqrt(s + epsilon));
      a = rho * a + added * d * d;
      w -= rate * d;
    });
  });
}

}  // namespace unroll
