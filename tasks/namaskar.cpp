// namaskar: a small recurrent network learns to say the next letter of a word, and shows how: what
// it expects after each letter, and how the gradient of every time step adds up in shared weights.
// How the tables look is in namaskar/report.cpp.

#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include <unroll/unroll.hpp>

#include "common/bad_input.hpp"
#include "common/command_line.hpp"
#include "common/drawing.hpp"
#include "common/lexicon.hpp"
#include "common/progress.hpp"
#include "common/table.hpp"
#include "common/text.hpp"
#include "namaskar/report.hpp"

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

// ---- data: a word, its letters as numbers, what follows what -----------------------------------

struct Word {
  std::u32string letters;
  Lexicon lexicon;
  Array x, y;  // what is read, one-hot (T, 1, V), and what comes next (T, 1)

  Size steps() const { return y.size(0); }
  /// All letters but the last.
  std::string prefix() const { return encode_utf8(letters.substr(0, letters.size() - 1)); }
};

Word read_word(const std::string& text) {
  Word word{decode_utf8(text, "--word"), {}, {}, {}};
  if (word.letters.size() < 2)
    bad_input("--word '", text, "' has ", word.letters.size(),
              " letter(s); there is a next letter only if there are two or more");
  word.lexicon = Lexicon::of_characters(word.letters);
  const std::vector<Size> numbers = word.lexicon.encode(word.letters, "--word");
  const Size steps = static_cast<Size>(numbers.size()) - 1;
  const Array all = values(numbers, {steps + 1, 1});
  word.x = one_hot(all.sliced(0, 0, steps), word.lexicon.size()).value();
  word.y = all.sliced(0, 1, steps + 1);
  return word;
}

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

Recurrent make_cell(const Options& options, Size in) {
  if (options.cell == "lstm") return LSTM(in, options.hidden);
  if (options.cell == "gru") return GRU(in, options.hidden);
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

/// Puts the steps' shares beside what the tape has summed up for the shared weights.
GradientReport compare(const Shares& shares, const Network& net, Size epoch) {
  GradientReport report{epoch, {}, std::vector<std::vector<double>>(shares.size()), {}, {}, {}};
  const std::vector<Parameter> weights =
      net.cell.parameters();  // the first ones of net.parameters()
  for (std::size_t p = 0; p < weights.size(); ++p) {
    const Variable sum = sum_of(shares, p), tape = weights[p].grad();
    report.weights.push_back(weights[p].name());
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

std::string network_text(const Network& net, const Word& word) {
  std::string letters, weights;
  for (const std::string& token : word.lexicon.tokens()) letters += token + " ";
  for (const Parameter& weight : net.parameters())
    weights += weight.name() + " " + weight.shape().text() + "  ";
  Table table(2);
  table.row({"word", encode_utf8(word.letters)});
  table.row({"letters", letters});
  table.row({"weights", weights});
  return table.text();
}

void print_json(const Word& word, Size says, double probability, const Training& training) {
  const nlohmann::ordered_json json{
      {"word", encode_utf8(word.letters)}, {"prefix", word.prefix()},
      {"prediction", word.lexicon[says]},  {"probability", probability},
      {"loss", training.losses.back()},    {"epochs", training.losses.size()}};
  std::printf("%s\n", json.dump().c_str());
}

void learn(const Options& options) {
  const Word word = read_word(options.word);
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
  if (options.json) return print_json(word, says, probability, training);

  const auto print = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
  print("A network learns to say the next letter of a word.\n\n" + network_text(net, word));
  print(losses_text(training.losses, word.lexicon.size()));
  print(gradients_text(word.letters, training.first));
  if (options.epochs > 1) print(gradients_text(word.letters, training.last));
  print(expectations_text(word.letters, word.lexicon, probabilities));
  if (!drawn.empty()) print(drawn + "\n");
  print("after \"" + word.prefix() + "\" it says \"" + word.lexicon[says] + "\" with probability " +
        fixed(probability, 3));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a small recurrent network to say the next letter of a word, and shows how.",
               "namaskar");
  Options options;
  app.option_defaults()->always_capture_default();
  app.add_option("--word", options.word, "the word to learn, in any script");
  app.add_option("--cell", options.cell, "elman, lstm, gru, or none: a network without memory")
      ->check(CLI::IsMember({"elman", "lstm", "gru", "none"}));
  app.add_option("--order", options.order, "elman remembers h_{t-1} ... h_{t-k}")
      ->check(CLI::Range(1, 64));
  app.add_option("--aggregate", options.aggregate,
                 "train on the sum of the steps' gradients, or on their mean")
      ->check(CLI::IsMember({"sum", "mean"}));
  app.add_option("--hidden", options.hidden, "size of h")->check(CLI::Range(1, 1024));
  app.add_option("--epochs", options.epochs, "how often it reads the word")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--learning-rate", options.learning_rate)->check(CLI::Range(1e-9, 1e3));
  app.add_option("--seed", options.seed, "of the first weights");
  app.add_option("--graph", options.graph, "draw the unrolled network: .svg, .png, .pdf or .dot");
  app.add_flag("--json", options.json, "print one object and nothing else");
  lay_out(app,
          "  namaskar\n"
          "  namaskar --cell none              three letters follow an a: it cannot know which\n"
          "  namaskar --word banana --order 2\n"
          "  namaskar --graph unrolled.svg\n");
  app.callback([&] { learn(options); });
  return run(app, argc, argv);
}
