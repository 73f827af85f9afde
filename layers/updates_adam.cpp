// The updates of Adam and its relatives: a mean of the gradients over their size. Formulas and
// sources are in optimiser.hpp; coefficients are worked out in float64 once per Parameter.
#include <unroll/layers/updates.hpp>

namespace unroll {

using updates::fused;
using updates::larger;

namespace {

// g += decay w, w *= shrink, and Adam's update.
template <class U, class O>
void update_adam(const U& u, const O& o, double learning_rate, double decay_of_g,
                 double shrink_of_w) {
  const double t = double(u.t), correction1 = 1 - std::pow(o.beta1, t),
               correction2 = 1 - std::pow(o.beta2, t);
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(learning_rate / correction1), scale = T(1 / std::sqrt(correction2));
    const T decay = T(decay_of_g), shrink = T(shrink_of_w), epsilon = T(o.epsilon);
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), added1 = T(1 - o.beta1),
            added2 = T(1 - o.beta2);
    auto moments = [=](auto g, auto& w, auto& m, auto& v) {
      g += decay * w;
      w *= shrink;
      m = beta1 * m + added1 * g;
      v = beta2 * v + added2 * g * g;
    };
    if (o.amsgrad) {
      pass([=](auto g, auto& w, auto& m, auto& v, auto& most) {
        moments(g, w, m, v);
        most = larger(most, v);
        w -= rate * m / (scale * sqrt(most) + epsilon);
      });
    } else {
      pass([=](auto g, auto& w, auto& m, auto& v) {
        moments(g, w, m, v);
        w -= rate * m / (scale * sqrt(v) + epsilon);
      });
    }
  });
}

}  // namespace

Adam::Adam(const ParameterList& parameters, const AdamOptions& o)
    : Optimiser("adam", parameters, o.learning_rate,
                o.amsgrad ? std::vector<Buffer>{{"mean"}, {"square"}, {"largest"}}
                          : std::vector<Buffer>{{"mean"}, {"square"}}),
      options_(o) {
  require({{"beta1", o.beta1, 1},
           {"beta2", o.beta2, 1},
           {"epsilon", o.epsilon},
           {"weight_decay", o.weight_decay}});
}

void Adam::update(const Update& u) {
  update_adam(u, options_, learning_rate(), options_.weight_decay, 1);
}

AdamW::AdamW(const ParameterList& parameters, const AdamWOptions& o)
    : Optimiser("adamw", parameters, o.learning_rate,
                o.amsgrad ? std::vector<Buffer>{{"mean"}, {"square"}, {"largest"}}
                          : std::vector<Buffer>{{"mean"}, {"square"}}),
      options_(o) {
  require({{"beta1", o.beta1, 1},
           {"beta2", o.beta2, 1},
           {"epsilon", o.epsilon},
           {"weight_decay", o.weight_decay}});
}

void AdamW::update(const Update& u) {
  update_adam(u, options_, learning_rate(), 0, 1 - learning_rate() * options_.weight_decay);
}

Adamax::Adamax(const ParameterList& parameters, const AdamaxOptions& o)
    : Optimiser("adamax", parameters, o.learning_rate, {{"mean"}, {"largest"}}), options_(o) {
  require({{"beta1", o.beta1, 1},
           {"beta2", o.beta2, 1},
           {"epsilon", o.epsilon},
           {"weight_decay", o.weight_decay}});
}

void Adamax::update(const Update& u) {
  const AdamaxOptions& o = options_;
  const double correction = 1 - std::pow(o.beta1, double(u.t));
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(learning_rate() / correction), decay = T(o.weight_decay);
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), added = T(1 - o.beta1), epsilon = T(o.epsilon);
    pass([=](auto g, auto& w, auto& m, auto& most) {
      g += decay * w;
      m = beta1 * m + added * g;
      most = larger(beta2 * most, abs(g) + epsilon);
      w -= rate * m / most;
    });
  });
}

NAdam::NAdam(const ParameterList& parameters, const NAdamOptions& o)
    : Optimiser("nadam", parameters, o.learning_rate,
                {{"mean"}, {"square"}, {.name = "product", .initial = 1, .scalar = true}}),
      options_(o) {
  require({{"beta1", o.beta1, 1},
           {"beta2", o.beta2, 1},
           {"epsilon", o.epsilon},
           {"weight_decay", o.weight_decay},
           {"momentum_decay", o.momentum_decay}});
}

void NAdam::update(const Update& u) {
  const NAdamOptions& o = options_;
  auto momentum = [&](double t) {
    return o.beta1 * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay));
  };
  const double t = double(u.t), now = momentum(t), next = momentum(t + 1);
  double& product = *u.buffers[2].mutable_data<double>();
  product *= now;
  const double of_g = learning_rate() * (1 - now) / (1 - product);
  const double of_m = learning_rate() * next / (1 - product * now * next);
  const double correction = 1 / std::sqrt(1 - std::pow(o.beta2, t));
  fused(u, [&]<class T>(auto& pass) {
    const T a = T(of_g), b = T(of_m), scale = T(correction), decay = T(o.weight_decay);
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), added1 = T(1 - o.beta1),
            added2 = T(1 - o.beta2);
    const T epsilon = T(o.epsilon);
    pass([=](auto g, auto& w, auto& m, auto& v) {
      g += decay * w;
      m = beta1 * m + added1 * g;
      v = beta2 * v + added2 * g * g;
      w -= (a * g + b * m) / (scale * sqrt(v) + epsilon);
    });
  });
}

RAdam::RAdam(const ParameterList& parameters, const RAdamOptions& o)
    : Optimiser("radam", parameters, o.learning_rate, {{"mean"}, {"square"}}), options_(o) {
  require({{"beta1", o.beta1, 1},
           {"beta2", o.beta2, 1},
           {"epsilon", o.epsilon},
           {"weight_decay", o.weight_decay}});
}

void RAdam::update(const Update& u) {
  const RAdamOptions& o = options_;
  const double t = double(u.t), power = std::pow(o.beta2, t);
  const double most = 2 / (1 - o.beta2) - 1, r = most - 2 * t * power / (1 - power);
  const double corrected = learning_rate() / (1 - std::pow(o.beta1, t));
  const bool rectified = r > 5;
  const double root =
      rectified ? std::sqrt((r - 4) * (r - 2) * most * (1 - power) / ((most - 4) * (most - 2) * r))
                : 0;
  fused(u, [&]<class T>(auto& pass) {
    const T rate = T(rectified ? corrected * root : corrected), decay = T(o.weight_decay);
    const T beta1 = T(o.beta1), beta2 = T(o.beta2), added1 = T(1 - o.beta1),
            added2 = T(1 - o.beta2);
    const T epsilon = T(o.epsilon);
    auto moments = [=](auto g, auto& w, auto& m, auto& v) {
      g += decay * w;
      m = beta1 * m + added1 * g;
      v = beta2 * v + added2 * g * g;
    };
    if (rectified) {
      pass([=](auto g, auto& w, auto& m, auto& v) {
        moments(g, w, m, v);
        w -= rate * m / (sqrt(v) + epsilon);
      });
    } else {
      pass([=](auto g, auto& w, auto& m, auto& v) {
        moments(g, w, m, v);
        w -= rate * m;
      });
    }
  });
}

}  // namespace unroll
