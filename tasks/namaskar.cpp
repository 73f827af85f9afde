// namaskar: a small recurrent network learns to say the next letter of a word, and shows how: what
// it expects after each letter, and how the gradient of every time step adds up in shared weights.
// The word is in namaskar/word.cpp, how the tables look in namaskar/report.cpp.

#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include <unroll/unroll.hpp>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "common/command_line.hpp"
#include "common/drawing.hpp"
#include "common/progress.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "namaskar/report.hpp"
#include "namaskar/word.hpp"

using namespace tasks;
using namespace unroll;

namespace {

struct Options {
  std::string aggregate = "sum", cell = "elman", graph, word = "namaskar";
  Size epochs = 200, hidden = 12, order = 1;
  double learning_rate = 0.2;
  std::uint64_t seed = 1;
  bool json = false;
};

// ---- model -------------------------------------------------------------------------------------

/// h_t = tanh(W_xh x_t + W_hh1 h_{t-1} + ... + W_hhk h_{t-k}); order k = 0 has no memory at all.
struct CourseCell : Cell {
  CourseCell(Size in, Size hidden, Size order) : Cell(in, hidden) {
    for (Size k = 1; k <= order; ++k)
      W_hh.push_back(parameter(order == 1 ? "W_hh" : "W_hh" + std::to_string(k), {hidden, hidden}));
  }
  Parameter W_xh = parameter("W_xh", {hidden, in});
  std::vector<Parameter> W_hh;

  struct State {
    std::vector<Variable> h;  // h_t, h_{t-1}, ...
  };

  State zero_state(const Variable& x) const {
    return {
        std::vector<Variable>(std::max<std::size_t>(1, W_hh.size()), zeros({x.size(0), hidden}))};
  }
  State step(const Variable& x, const State& s) const {
    Variable z = linear(x, W_xh);
    for (std::size_t k = 0; k < W_hh.size(); ++k) z = z + linear(s.h[k], W_hh[k]);
    State next = s;
    next.h.insert(next.h.begin(), tanh(z));
    next.h.pop_back();
    return next;
  }
  Variable output(const State& s) const { return s.h[0]; }
};

bool is_of_course(const std::string& cell) { return cell == "elman" || cell == "none"; }

Recurrent make_cell(const Options& options, Size in) {
  if (!is_of_course(options.cell)) return recurrent_of(options.cell, in, options.hidden);
  return CourseCell(in, options.hidden, options.cell == "none" ? 0 : options.order);
}

struct Network : Module {
  Network(const Options& options, Size letters)
      : cell(submodule("cell", make_cell(options, letters))),
        W_hy(parameter("W_hy", {letters, options.hidden})) {}
  Recurrent cell;
  Parameter W_hy;

  /// y_t = W_hy h_t for every step: (T, 1, V).
  Variable operator()(const Variable& x) const {
    return linear(over_time(cell, x).outputs(), W_hy);
  }
};

// ---- the gradient of every time step -----------------------------------------------------------

/// Gradient [t][p] of parameter p at step t.
using Shares = std::vector<std::vector<Variable>>;

/// The unrolled network taken at its word: one copy of the weights for each time step. The gradient
/// of copy t is the share of step t, and the shares add up to the gradient of the shared weights.
class Unshared {
 public:
  Unshared(const Options& options, const Word& word) : word_(word) {
    for (Size t = 0; t < word.steps(); ++t) copies_.emplace_back(options, word.lexicon.size());
  }

  Shares gradients(const Network& shared) {
    for (Network& copy : copies_) copy_parameters(shared, copy);
    Tape tape;
    Recurrent::State state = initial_state(copies_[0].cell, word_.x[0]);
    std::vector<Variable> logits;
    for (Size t = 0; t < word_.steps(); ++t) {
      const Network& copy = copies_[static_cast<std::size_t>(t)];
      state = copy.cell.step(word_.x[t], state);
      logits.push_back(linear(copy.cell.output(state), copy.W_hy));
    }
    Variables weights;
    for (const Network& copy : copies_)
      for (const Parameter& parameter : copy.parameters()) weights.push_back(parameter);
    const auto all = grad(cross_entropy(stack_along(logits), word_.y), weights);
    Shares shares(copies_.size());
    for (std::size_t k = 0; k < all.size(); ++k)
      shares[k / (all.size() / shares.size())].push_back(all[k]);
    return shares;
  }

 private:
  const Word& word_;
  std::vector<Network> copies_;
};

Variable sum_of(const Shares& shares, std::size_t p) {
  Variable sum = shares[0][p];
  for (std::size_t t = 1; t < shares.size(); ++t) sum = sum + shares[t][p];
  return sum;
}

/// "W_xh" of "cell.layer0.W_xh".
std::string short_name(const Parameter& parameter) {
  return parameter.name().substr(parameter.name().rfind('.') + 1);
}

/// Puts the steps' shares beside what the tape has summed up for the shared weights.
GradientReport compare(const Shares& shares, const Network& net, Size epoch) {
  GradientReport report{epoch, {}, std::vector<std::vector<double>>(shares.size()), {}, {}, {}};
  const std::vector<Parameter> weights =
      net.cell.parameters();  // the first ones of net.parameters()
  for (std::size_t p = 0; p < weights.size(); ++p) {
    const Variable sum = sum_of(shares, p), tape = weights[p].grad();
    report.weights.push_back(short_name(weights[p]));
    for (std::size_t t = 0; t < shares.size(); ++t)
      report.norms[t].push_back(norm(shares[t][p]).item());
    report.sum.push_back(norm(sum).item());
    report.tape.push_back(norm(tape).item());
    report.difference.push_back(max(abs(sum - tape)).item());
  }
  return report;
}

// ---- training ----------------------------------------------------------------------------------

struct Training {
  std::vector<double> losses;  // by epoch, nats per letter
  GradientReport first, last;
};

Training train(Network& net, const Word& word, const Options& options) {
  SGD optimiser(net, {.learning_rate = options.learning_rate, .momentum = 0.9});
  Unshared unshared(options, word);
  Training training;
  for (Size epoch = 1; epoch <= options.epochs; ++epoch) {
    Tape tape;
    const Variable loss = cross_entropy(net(word.x), word.y);
    tape.backward(loss);
    training.losses.push_back(loss.item());
    if (!std::isfinite(loss.item()))
      bad_input("the loss is not finite in epoch ", epoch, "; a smaller --learning-rate may help");

    const bool by_mean = options.aggregate == "mean";
    if (by_mean || epoch == 1 || epoch == options.epochs) {
      const Shares shares = unshared.gradients(net);
      (epoch == 1 ? training.first : training.last) = compare(shares, net, epoch);
      const std::vector<Parameter> weights = net.parameters();
      for (std::size_t p = 0; p < weights.size() && by_mean; ++p)
        weights[p].set_grad((sum_of(shares, p) / static_cast<double>(word.steps())).value());
    }
    clip_global_norm(net, 1.0);
    optimiser.step();
  }
  return training;
}

// ---- results -----------------------------------------------------------------------------------

/// One pass over the word, letter by letter, as the tape has recorded it.
std::string graph_of(const Network& net, const Word& word) {
  Tape tape;
  Scope scope("step");
  Recurrent::State state = initial_state(net.cell, word.x[0]);
  Variable loss = 0.0;
  for (Size t = 0; t < word.steps(); ++t) {
    scope.step(t + 1);
    state = net.cell.step(word.x[t], state);
    const Variable y = linear(net.cell.output(state), net.W_hy);
    loss = loss + cross_entropy(y, word.y[t]);
  }
  return dot(tape);
}

std::string network_text(const Network& net, const Word& word, const Options& options) {
  std::string letters, weights, memory;
  for (const std::string& token : word.lexicon.tokens()) letters += token + " ";
  for (const Parameter& weight : net.parameters())
    weights += short_name(weight) + " " + weight.shape().text() + "  ";
  for (Size k = 1; k <= options.order && options.cell == "elman"; ++k)
    memory += options.order == 1 ? " + W_hh h_{t-1}" : join(" + W_hh", k, " h_{t-", k, "}");
  const bool named = !is_of_course(options.cell);
  Table table(2);
  table.row({"word", encode_utf8(word.letters)});
  table.row({"letters", letters});
  table.row({"network", (named ? "h_t = " + options.cell + "(x_t, h_{t-1})"
                               : "h_t = tanh(W_xh x_t" + memory + ")") +
                            ",  y_t = W_hy h_t"});
  table.row({"weights", weights});
  table.row({"training", join(options.epochs, " epochs on the ", options.aggregate,
                              " of the steps' gradients, learning rate ", options.learning_rate)});
  return table.text();
}

void print_json(const Word& word, Size says, double probability, const Training& training) {
  const nlohmann::ordered_json json{
      {"word", encode_utf8(word.letters)}, {"prefix", word.prefix(word.steps())},
      {"prediction", word.lexicon[says]},  {"probability", probability},
      {"loss", training.losses.back()},    {"epochs", training.losses.size()}};
  std::printf("%s\n", json.dump().c_str());
}

void learn(const Options& options) {
  const Word word(options.word);
  if (!options.graph.empty()) require_drawable(options.graph);

  Network net(options, word.lexicon.size());
  Generator generator(options.seed);
  net.initialise(generator);
  const Training training = train(net, word, options);

  const Array probabilities = squeeze(softmax(net(word.x)), 1).value();
  const Array last = probabilities[-1];
  const Size says = static_cast<Size>(argmax(last).item());
  const double probability = last.at({says});
  const std::string drawn = options.graph.empty() ? "" : draw(graph_of(net, word), options.graph);
  if (options.json) {
    if (!drawn.empty()) std::fprintf(stderr, "%s\n", drawn.c_str());
    return print_json(word, says, probability, training);
  }

  const auto print = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
  print("A network learns to say the next letter of a word.\n\n" +
        network_text(net, word, options));
  print(losses_text(training.losses, word.lexicon.size()));
  print(gradients_text(word, training.first));
  if (options.epochs > 1) print(gradients_text(word, training.last));
  print(expectations_text(word, probabilities));
  if (!drawn.empty()) print(drawn + "\n");
  print(answer_text(word, says, probability, options.cell != "none"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a small recurrent network to say the next letter of a word, and shows how.",
               "namaskar");
  Options options;
  set_defaults(app);
  app.add_option("--word", options.word, "the word to learn, in any script");
  std::vector<std::string> cells = cell_names();
  cells.push_back("none");
  app.add_option("--cell", options.cell, "elman, lstm, gru and others; none is without memory")
      ->check(CLI::IsMember(cells));
  const CLI::Option* order =
      app.add_option("--order", options.order, "elman remembers h_{t-1} ... h_{t-k}")
          ->check(within(1, 64));
  app.add_option("--aggregate", options.aggregate,
                 "train on the sum of the steps' gradients, or on their mean")
      ->check(CLI::IsMember({"sum", "mean"}));
  app.add_option("--hidden", options.hidden, "size of h")->check(within(1, 1024));
  app.add_option("--epochs", options.epochs, "how often it reads the word")
      ->check(within(1, 1000000));
  app.add_option("--learning-rate", options.learning_rate, "of gradient descent with momentum 0.9")
      ->check(within(1e-9, 1e3));
  app.add_option("--seed", options.seed, "of the first weights")->check(within(0, 1.8e19));
  app.add_option("--graph", options.graph, "draw the unrolled network: .svg, .png, .pdf or .dot");
  app.add_flag("--json", options.json, "print one object and nothing else");
  lay_out(app,
          "  namaskar\n"
          "  namaskar --cell none              # three letters follow an a: it cannot know which\n"
          "  namaskar --word banana --order 2\n"
          "  namaskar --graph unrolled.svg\n");
  app.callback([&] {
    if (order->count() > 0 && options.cell != "elman")
      bad_input("--order is for --cell elman, not for ", options.cell);
    learn(options);
  });
  return run(app, argc, argv);
}
