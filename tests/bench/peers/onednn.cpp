// oneDNN's RNN primitives on W1, W2, W3, W6 and W9, one JSON line each: onednn [threads] [only].
// A step of training changes the weights, so their conversion into the layout that the primitive
// wants is part of it. Written for oneDNN 2.x; not part of unroll.
#include <cmath>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "peer.hpp"

using namespace dnnl;
using Desc = memory::desc;
using Tag = memory::format_tag;

namespace {

enum class Kind { rnn, lstm, gru };  // gru: with the reset gate after the product, lbr_gru

struct Sizes {
  Kind kind;
  memory::dim T, B, in, hidden;
  memory::dim gates() const { return kind == Kind::rnn ? 1 : kind == Kind::lstm ? 4 : 3; }
  memory::dim biases() const { return kind == Kind::gru ? 4 : gates(); }
};

Desc desc(const memory::dims& dims, Tag tag) { return {dims, memory::data_type::f32, tag}; }

float* numbers(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
std::size_t count(const memory& m) { return m.get_desc().get_size() / sizeof(float); }

/// One layer over a sequence. Weights are (in, gates, hidden) to the user. The zero states at the
/// start are passed on purpose: without them oneDNN 2.6 gets the gradient of the recurrent weights
/// wrong.
class Layer {
 public:
  Layer(const Sizes& sizes, bool training) : s(sizes), training_(training) {
    const Desc x = desc({s.T, s.B, s.in}, Tag::tnc), y = desc({s.T, s.B, s.hidden}, Tag::tnc);
    const memory::dims w{1, 1, s.in, s.gates(), s.hidden}, u{1, 1, s.hidden, s.gates(), s.hidden};
    const Desc b = desc({1, 1, s.biases(), s.hidden}, Tag::ldgo);
    const float scale = 1 / std::sqrt(static_cast<float>(s.hidden));
    const Desc h = desc({1, 1, s.B, s.hidden}, Tag::ldnc);
    x_ = filled(x, 1), y_ = filled(y, 0), h_ = filled(h, 0), c_ = filled(h, 0);
    W = filled(desc(w, Tag::ldigo), scale), U = filled(desc(u, Tag::ldigo), scale);
    b_ = filled(b, scale);
    if (training_) {
      dx_ = filled(x, 0), dy_ = filled(y, 0), db_ = filled(b, 0);
      dh_ = filled(h, 0), dc_ = filled(h, 0);
      dW = filled(W.get_desc(), 0), dU = filled(U.get_desc(), 0);
      std::fill_n(numbers(dy_), count(dy_), 1 / static_cast<float>(count(dy_)));
    }
    build({x, y, h, desc(w, Tag::any), desc(u, Tag::any), b});
  }

  void forward() {
    run(before_forward_);
    forward_.execute(stream_, forward_arguments_);
    stream_.wait();
  }
  void backward() {
    run(before_backward_);
    for (memory* d : {&packed_dW_, &packed_dU_, &db_}) std::fill_n(numbers(*d), count(*d), 0.0f);
    backward_.execute(stream_, backward_arguments_);
    stream_.wait();
    run(after_backward_);
  }
  /// Without the conversion of weights that have not changed.
  void forward_again() {
    forward_.execute(stream_, forward_arguments_);
    stream_.wait();
  }
  double mean_output() const {
    double sum = 0;
    for (std::size_t k = 0; k < count(y_); ++k) sum += numbers(y_)[k];
    return sum / static_cast<double>(count(y_));
  }

  memory W, U, dW, dU;

 private:
  struct Descs {
    Desc x, y, h, w, u, b;
  };
  using Reorders = std::vector<std::pair<memory, memory>>;

  memory filled(const Desc& d, float scale) {
    memory m(d, engine_);
    std::mt19937 generator(static_cast<unsigned>(d.get_size()));
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::size_t k = 0; k < count(m); ++k) numbers(m)[k] = scale * uniform(generator);
    return m;
  }

  void run(const Reorders& list) {
    for (auto [from, to] : list) reorder(from, to).execute(stream_, from, to);
    stream_.wait();
  }

  /// `user` in the layout `wanted`, and how to get there.
  memory packed(const Desc& wanted, const memory& user, Reorders& list, bool back = false) {
    if (wanted == user.get_desc()) return user;
    memory m(wanted, engine_);
    list.push_back(back ? std::pair(m, user) : std::pair(user, m));
    return m;
  }

  void build(const Descs& d) {
    const auto forward = training_ ? prop_kind::forward_training : prop_kind::forward_inference;
    const auto way = rnn_direction::unidirectional_left2right;
    const auto back = prop_kind::backward;
    const auto f = algorithm::eltwise_tanh;
    const Desc none;
    if (s.kind == Kind::rnn)
      take<vanilla_rnn_forward, vanilla_rnn_backward>(
          {forward, f, way, d.x, d.h, d.w, d.u, d.b, d.y, none},
          {back, f, way, d.x, d.h, d.w, d.u, d.b, d.y, none, d.x, d.h, d.w, d.u, d.b, d.y, none});
    else if (s.kind == Kind::lstm)
      take<lstm_forward, lstm_backward>(
          {forward, way, d.x, d.h, d.h, d.w, d.u, d.b, d.y, none, none},
          {back, way, d.x, d.h, d.h, d.w, d.u, d.b, d.y,  none,
           none, d.x, d.h, d.h, d.w, d.u, d.b, d.y, none, none});
    else
      take<lbr_gru_forward, lbr_gru_backward>(
          {forward, way, d.x, d.h, d.w, d.u, d.b, d.y, none},
          {back, way, d.x, d.h, d.w, d.u, d.b, d.y, none, d.x, d.h, d.w, d.u, d.b, d.y, none});
  }

  template <class Forward, class Backward>
  void take(const typename Forward::desc& forward, const typename Backward::desc& backward) {
    typename Forward::primitive_desc f(forward, engine_);
    forward_ = Forward(f);
    const memory w = packed(f.weights_layer_desc(), W, before_forward_),
                 u = packed(f.weights_iter_desc(), U, before_forward_);
    forward_arguments_ = {{DNNL_ARG_SRC_LAYER, x_},   {DNNL_ARG_WEIGHTS_LAYER, w},
                          {DNNL_ARG_WEIGHTS_ITER, u}, {DNNL_ARG_BIAS, b_},
                          {DNNL_ARG_DST_LAYER, y_},   {DNNL_ARG_SRC_ITER, h_}};
    if (s.kind == Kind::lstm) forward_arguments_[DNNL_ARG_SRC_ITER_C] = c_;
    if (!training_) return;
    typename Backward::primitive_desc b(backward, engine_, f);
    backward_ = Backward(b);
    packed_dW_ = packed(b.diff_weights_layer_desc(), dW, after_backward_, true);
    packed_dU_ = packed(b.diff_weights_iter_desc(), dU, after_backward_, true);
    forward_arguments_[DNNL_ARG_WORKSPACE] = memory(f.workspace_desc(), engine_);
    backward_arguments_ = forward_arguments_;
    backward_arguments_[DNNL_ARG_WEIGHTS_LAYER] =
        packed(b.weights_layer_desc(), W, before_backward_);
    backward_arguments_[DNNL_ARG_WEIGHTS_ITER] = packed(b.weights_iter_desc(), U, before_backward_);
    for (auto [argument, m] : {std::pair(DNNL_ARG_DIFF_SRC_LAYER, dx_),
                               {DNNL_ARG_DIFF_WEIGHTS_LAYER, packed_dW_},
                               {DNNL_ARG_DIFF_WEIGHTS_ITER, packed_dU_},
                               {DNNL_ARG_DIFF_BIAS, db_},
                               {DNNL_ARG_DIFF_SRC_ITER, dh_},
                               {DNNL_ARG_DIFF_DST_LAYER, dy_}})
      backward_arguments_[argument] = m;
    if (s.kind == Kind::lstm) backward_arguments_[DNNL_ARG_DIFF_SRC_ITER_C] = dc_;
  }

  Sizes s;
  bool training_;
  engine engine_{engine::kind::cpu, 0};
  stream stream_{engine_};
  memory x_, y_, h_, c_, b_, dx_, dy_, dh_, dc_, db_, packed_dW_, packed_dU_;
  primitive forward_, backward_;
  Reorders before_forward_, before_backward_, after_backward_;
  std::unordered_map<int, memory> forward_arguments_, backward_arguments_;
};

/// The largest relative difference between the gradient and a finite difference, over the weight of
/// largest gradient in W and in U: guards against arguments in the wrong places.
double check(Layer& layer) {
  double worst = 0;
  for (auto [w, dw] : {std::pair(layer.W, layer.dW), {layer.U, layer.dU}}) {
    layer.forward();
    layer.backward();
    const float* g = numbers(dw);
    const auto at = std::max_element(g, g + count(dw),
                                     [](float a, float b) { return std::abs(a) < std::abs(b); }) -
                    g;
    float& weight = numbers(w)[at];
    const float before = weight, step = 0.05f;
    double difference = 0;
    for (float sign : {1.0f, -1.0f}) {
      weight = before + sign * step;
      layer.forward();
      difference += sign * layer.mean_output() / (2 * step);
    }
    weight = before;
    worst = std::max(worst, std::abs(difference / static_cast<double>(g[at]) - 1));
  }
  return worst;
}

void train(const std::string& name, const Sizes& sizes) {
  Layer layer(sizes, true);
  const double error = check(layer);
  if (!(error < 0.02)) {
    std::fprintf(stderr, "onednn %s: gradients are wrong by %g\n", name.c_str(), error);
    std::exit(1);
  }
  peer::emit("onednn", name, bench::time([&] {
               layer.forward();
               layer.mean_output();
               layer.backward();
             }));
}

/// A step with the state in and out, as a decoder needs it; weights are converted once.
void one_step(memory::dim hidden) {
  engine e(engine::kind::cpu, 0);
  stream s(e);
  const Desc x = desc({1, 1, hidden}, Tag::tnc), state = desc({1, 1, 1, hidden}, Tag::ldnc);
  const memory::dims w{1, 1, hidden, 4, hidden};
  const lstm_forward::primitive_desc p(
      {prop_kind::forward_inference, rnn_direction::unidirectional_left2right, x, state, state,
       desc(w, Tag::any), desc(w, Tag::any), desc({1, 1, 4, hidden}, Tag::ldgo), x, state, state},
      e);
  auto some = [&](const Desc& d) {
    memory m(d, e);
    std::fill_n(numbers(m), count(m), 0.01f);
    return m;
  };
  auto packed = [&](const Desc& wanted) {  // opaque: only a reorder may write it
    memory from = some(desc(w, Tag::ldigo)), to(wanted, e);
    reorder(from, to).execute(s, from, to);
    s.wait();
    return to;
  };
  memory h = some(state), c = some(state), h1 = some(state), c1 = some(state);
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC_LAYER, some(x)},
      {DNNL_ARG_WEIGHTS_LAYER, packed(p.weights_layer_desc())},
      {DNNL_ARG_WEIGHTS_ITER, packed(p.weights_iter_desc())},
      {DNNL_ARG_BIAS, some(p.bias_desc())},
      {DNNL_ARG_DST_LAYER, some(x)}};
  const lstm_forward step(p);
  constexpr int chained = 20;
  peer::emit("onednn", "W6-step",
             bench::time([&] {
               for (int k = 0; k < chained; ++k) {
                 arguments[DNNL_ARG_SRC_ITER] = h, arguments[DNNL_ARG_SRC_ITER_C] = c;
                 arguments[DNNL_ARG_DST_ITER] = h1, arguments[DNNL_ARG_DST_ITER_C] = c1;
                 step.execute(s, arguments);
                 s.wait();
                 std::swap(h, h1), std::swap(c, c1);
               }
             }).per(chained));
}

}  // namespace

int main(int argc, char** argv) {
  peer::start(argc, argv);
  if (peer::wanted("W1")) train("W1", {Kind::lstm, 64, 32, 256, 256});
  if (peer::wanted("W2")) train("W2", {Kind::gru, 60, 20, 300, 500});
  if (peer::wanted("W3")) train("W3-B1", {Kind::rnn, 100, 1, 32, 64});
  if (peer::wanted("W3")) train("W3-B8", {Kind::rnn, 100, 8, 32, 64});
  if (peer::wanted("W6")) {
    one_step(512);
    Layer layer({Kind::lstm, 64, 32, 256, 256}, false);
    layer.forward();
    peer::emit("onednn", "W6-seq", bench::time([&] { layer.forward_again(); }));
  }
  if (peer::wanted("W9")) train("W9", {Kind::lstm, 2000, 4, 128, 128});
}
