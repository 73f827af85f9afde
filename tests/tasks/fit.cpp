// The training loop on a toy: what is kept, when it ends, that a resumed training is the one that
// was not stopped. Programs killed in the middle are in checkpoint.cpp.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <csignal>
#include <numeric>

#include <unroll/unroll.hpp>

#include "common/bad_input.hpp"
#include "common/fit.hpp"
#include "common/interrupt.hpp"
#include "program.hpp"

using namespace tasks;
using namespace unroll;

namespace {

struct Net : Module {
  Linear layer = submodule("layer", Linear(2, 1));
};

/// Rows x, y = x_0 - 2 x_1 + 1, with dropout, and a state carried from batch to batch that adds to
/// the loss.
struct Toy : Training {
  static constexpr Size kRows = 22, kBatch = 5;

  Toy(const Net& net, std::string path) : net(net), path(std::move(path)) {
    Generator g(5);
    x = normal({kRows, 2}, g);
    for (Size k = 0; k < kRows; ++k) y.push_back(x.at({k, 0}) - 2 * x.at({k, 1}) + 1);
  }

  Description description() const override { return {{{"toy", kRows}}, path, "rows"}; }
  std::vector<BatchSize> begin_epoch(Generator& g) override {
    order.resize(kRows);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t n = kRows; n > 1; --n) std::swap(order[n - 1], order[g.below(n)]);
    memory.assign(8, Variable(0.0));
    std::vector<BatchSize> sizes;
    for (Size first = 0; first < kRows; first += kBatch)
      sizes.push_back({std::min(kBatch, kRows - first), std::min(kBatch, kRows - first)});
    return sizes;
  }
  Variable loss(Size batch, const Share& share) override {
    if (share.index == 0 && ++batches == stop_at) std::raise(SIGINT);
    Variable sum = 0.0;
    for (Size k = share.begin; k < share.end; ++k) {
      const Size row = order[static_cast<std::size_t>(batch * kBatch + k)];
      const Variable p = net.layer(dropout ? unroll::dropout(x[row], 0.3) : Variable(x[row]));
      sum = sum + square(unroll::sum(p) - y[static_cast<std::size_t>(row)]);
    }
    Variable& carried = memory[static_cast<std::size_t>(share.index)];
    sum = sum + 0.1 * square(carried - unroll::sum(net.layer.b));
    carried = 0.5 * carried + 0.1 * sum;
    return factor * sum;
  }
  Validation validate() override {
    const std::size_t k = std::min(validations++, script.size() - 1);
    if (!script.empty()) return {{{"score", script[k]}}, maximise};
    double sum = 0;
    for (Size row = 0; row < kRows; ++row)
      sum += std::pow(net.layer(x[row]).item() - y[static_cast<std::size_t>(row)], 2);
    return {{{"mse", sum / kRows}}, false};
  }
  void save(const nlohmann::json& scores) override {
    unroll::save(net, path, {{"scores", scores.dump()}});
  }
  NamedArrays carried() const override {
    NamedArrays arrays;
    for (std::size_t k = 0; k < memory.size(); ++k) arrays[std::to_string(k)] = memory[k].value();
    return arrays;
  }
  void set_carried(const NamedArrays& arrays) override {
    for (std::size_t k = 0; k < memory.size(); ++k) memory[k] = arrays.at(std::to_string(k));
  }

  const Net& net;
  std::string path;
  Array x;
  std::vector<double> y;
  std::vector<Size> order;
  Variables memory;
  Size batches = 0, stop_at = 0;
  bool dropout = true, maximise = false;
  double factor = 1;
  std::vector<double> script;  // scores, the last one for ever
  std::size_t validations = 0;
};

/// A whole program: network, optimiser, data, loop.
struct Run {
  explicit Run(const TrainingOptions& options, const std::string& path)
      : options(options), generator(options.seed), toy(net, path) {
    net.initialise(generator);
  }
  Fitted operator()() {
    std::FILE* out = std::tmpfile();
    Progress progress(out);
    return fit({net, optimiser, generator}, toy, options, progress);
  }
  TrainingOptions options;
  Generator generator;
  Net net;
  Adam optimiser{net};
  Toy toy;
};

TrainingOptions options_of(Size epochs, int threads = 1) {
  TrainingOptions o;
  o.epochs = epochs;
  o.learning_rate = 0.05;
  o.threads = threads;
  return o;
}

template <class F>
std::string refusal_of(F&& f) {
  try {
    f();
  } catch (const BadInput& error) {
    return error.what();
  } catch (const Interrupted& stop) {
    return "interrupted: " + stop.message;
  }
  return "nothing was thrown";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fit_loop)

BOOST_AUTO_TEST_CASE(it_learns_and_remembers_what_happened) {
  const Folder folder;
  Run run(options_of(30), folder / "model");
  run.toy.dropout = false;
  const Fitted fitted = run();
  BOOST_TEST(fitted.steps == 30 * 5);
  BOOST_TEST(fitted.elements == 30 * Toy::kRows);
  BOOST_TEST(fitted.history.loss.size() == 150u);
  BOOST_TEST(fitted.history.gradient_norm.size() == 150u);
  BOOST_REQUIRE(fitted.history.epochs.size() == 30u);
  const auto& last = fitted.history.epochs.back();
  BOOST_TEST(last.epochs == 30);
  BOOST_TEST(last.step == 150);
  BOOST_TEST(last.scores[0].first == "mse");
  BOOST_TEST(last.scores[0].second < 0.2 * fitted.history.epochs[0].scores[0].second);
}

BOOST_AUTO_TEST_CASE(the_best_is_kept_and_patience_ends_it) {
  for (const bool maximise : {false, true}) {
    const Folder folder;
    TrainingOptions options = options_of(20);
    options.patience = 3;
    Run run(options, folder / "model");
    run.toy.maximise = maximise;
    run.toy.script = {3, 1, 2, 1, 1};
    if (maximise) run.toy.script = {-3, -1, -2, -1, -1};
    const Fitted fitted = run();
    BOOST_TEST(fitted.history.epochs.size() == 5u);
    BOOST_TEST(fitted.best == 1);
    const nlohmann::json scores =
        nlohmann::json::parse(load_metadata(folder / "model").at("scores"));
    BOOST_TEST(scores["epochs"] == 2);
    BOOST_TEST(scores["valid"]["score"] == (maximise ? -1 : 1));
  }
}

// Stopped at any batch, within an epoch or at its end, on one thread or three.
BOOST_AUTO_TEST_CASE(a_resumed_training_is_the_one_that_was_not_stopped) {
  for (const int threads : {1, 3}) {
    for (const char* schedule : {"cosine", "plateau"}) {
      const Folder folder;
      TrainingOptions options = options_of(4, threads);
      options.schedule = schedule;
      Run(options, folder / "whole")();
      for (const Size stop_at : {1, 5, 6, 13, 20}) {
        const std::string name = std::to_string(stop_at), model = folder / ("model" + name);
        options.checkpoint = folder / ("checkpoint" + name);
        options.resume = false;
        Run first(options, model);
        first.toy.stop_at = stop_at;
        BOOST_TEST(refusal_of(first) == "interrupted: stopped; the best network so far is in " +
                                            model + ", and --resume goes on from " +
                                            options.checkpoint);
        options.resume = true;
        Run second(options, model);
        second.net.initialise(second.generator);  // other weights, other random numbers
        const Fitted fitted = second();
        BOOST_TEST(fitted.steps == 20);
        BOOST_TEST(fitted.history.loss.size() == 20u);
        BOOST_TEST(fitted.history.epochs.size() == 4u);
        BOOST_TEST((content_of(model) == content_of(folder / "whole")));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(threads_share_a_batch) {
  const Folder folder;
  const auto losses = [&](int threads) {
    Run run(options_of(3, threads), folder / "model");
    run.toy.dropout = false;
    // What each share carries differs with their number, but not in the first batch.
    return run().history.loss;
  };
  BOOST_TEST(losses(1)[0] == losses(4)[0], boost::test_tools::tolerance(0.2));
  BOOST_TEST(losses(3) == losses(3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(batches_without_elements_are_left_out) {
  struct Gaps : Toy {
    using Toy::Toy;
    std::vector<BatchSize> begin_epoch(Generator& g) override {
      auto sizes = Toy::begin_epoch(g);
      sizes[2].elements = 0;
      return sizes;
    }
  };
  const Folder folder;
  Run run(options_of(2), folder / "model");
  Gaps gaps(run.net, folder / "model");
  std::FILE* out = std::tmpfile();
  Progress progress(out);
  BOOST_TEST(fit({run.net, run.optimiser, run.generator}, gaps, run.options, progress).steps ==
             2 * 4);
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_refused) {
  const Folder folder;
  const std::string advice = "the loss is no longer finite; a smaller --learning-rate may help";
  Run infinite(options_of(2), folder / "model");
  infinite.toy.factor = INFINITY;
  BOOST_TEST(refusal_of(infinite) == advice);
  BOOST_TEST(!std::filesystem::exists(folder / "model"));
  Run blind(options_of(3), folder / "model");
  blind.toy.script = {1, NAN};
  BOOST_TEST(refusal_of(blind) == advice + "; the best network so far is in " + folder / "model");
  BOOST_TEST(std::filesystem::exists(folder / "model"));
}

BOOST_AUTO_TEST_CASE(ctrl_c_without_a_checkpoint_saves_the_network) {
  const Folder folder;
  Run run(options_of(3), folder / "model");
  run.toy.stop_at = 3;
  BOOST_TEST(refusal_of(run) ==
             "interrupted: stopped; the best network so far is in " + folder / "model");
  Net net;
  load(net, folder / "model");
  BOOST_TEST(identical(net.layer.W.value(), run.net.layer.W.value()));
}

BOOST_AUTO_TEST_CASE(learning_rates) {
  const Folder folder;
  const auto rates = [&](const char* schedule) {
    TrainingOptions options = options_of(30);
    options.schedule = schedule;
    options.patience = 100;
    Run run(options, folder / "model");
    run.toy.script = std::vector<double>(20, 1);  // nothing is better than the first
    for (int k = 1; k < 20; ++k) run.toy.script[k] = k < 15 ? 1.0 / (k + 1) : 1;
    std::vector<double> list;
    for (const auto& epoch : run().history.epochs) list.push_back(epoch.learning_rate);
    return list;
  };
  const auto close = boost::test_tools::tolerance(1e-9);
  BOOST_TEST(rates("constant").front() == 0.05 * 5 / 50, close);  // five steps of the warm-up
  BOOST_TEST(rates("constant").back() == 0.05, close);
  BOOST_TEST(rates("plateau")[14] == 0.05, close);
  BOOST_TEST(rates("plateau")[16] == 0.05 / 4, close);
  BOOST_TEST(rates("plateau")[17] == 0.05 / 16, close);
  BOOST_TEST(rates("cosine").back() < 0.002);
}

BOOST_AUTO_TEST_CASE(checkpoints_that_do_not_fit_are_refused) {
  const Folder folder;
  TrainingOptions options = options_of(2);
  options.checkpoint = folder / "checkpoint";
  Run(options, folder / "model")();
  const std::string whole = content_of(options.checkpoint);
  options.resume = true;
  const auto refused = [&](const TrainingOptions& other) {
    Run run(other, folder / "model");
    return refusal_of(run);
  };
  TrainingOptions other = options;
  other.batch = 7;
  BOOST_TEST(refused(other) ==
             options.checkpoint + ": is of another training: its batch is 32, here it is 7");
  std::string flipped = whole;
  flipped[flipped.size() - 20] ^= 1;
  for (const std::string& bad : {flipped, whole.substr(0, whole.size() / 2), std::string("text")}) {
    folder.file("checkpoint", bad);
    BOOST_TEST(refused(options).find("checkpoint: ") != std::string::npos);
  }
  Run run(options, folder / "model");
  save(run.net, options.checkpoint);
  BOOST_TEST(refused(options) == options.checkpoint + ": is not a checkpoint");
}

// The model file may be gone, be another's, or be asked for under another name.
BOOST_AUTO_TEST_CASE(a_resumed_training_brings_the_best_network_along) {
  const Folder folder;
  TrainingOptions options = options_of(3);
  options.checkpoint = folder / "checkpoint";
  Run first(options, folder / "model");
  first.toy.script = {3, 1, 2};  // the second is the best
  first();
  const std::string best = content_of(folder / "model");
  options.resume = true;
  Net other;
  for (const char* name : {"model", "gone", "another's"}) {
    if (name == std::string("another's")) save(other, folder / name);
    Run again(options, folder / name);
    BOOST_TEST(again().best == 1);  // nothing is left to learn
    BOOST_TEST((content_of(folder / name) == best));
  }
  Run last(options, folder / "model");
  last();
  Net now;
  load(now, folder / "model");
  BOOST_TEST(!identical(now.layer.W.value(), last.net.layer.W.value()));  // the third goes on
}

BOOST_AUTO_TEST_CASE(places_of_checkpoints) {
  const Folder folder;
  TrainingOptions options;
  const auto refused = [&] { return refusal_of([&] { require_checkpoint_place(options); }); };
  BOOST_TEST(refused() == "nothing was thrown");
  options.resume = true;
  BOOST_TEST(refused() == "--resume goes on from a --checkpoint; name its file");
  options.checkpoint = folder / "none";
  BOOST_TEST(refused() == options.checkpoint + ": no such file; there is nothing to resume");
  options.checkpoint = folder.file("some", "thing");
  BOOST_TEST(refused() == "nothing was thrown");
  options.resume = false;
  BOOST_TEST(refused() ==
             options.checkpoint + " exists; add --resume to go on from it, or choose another file");
  options.checkpoint = folder / "no/folder";
  BOOST_TEST(refused().find("no such folder") != std::string::npos);
  options = options_of(1);
  options.checkpoint = folder.path / "." / "model";
  Run run(options, folder / "model");
  BOOST_TEST(refusal_of(run) ==
             options.checkpoint + ": cannot be both the checkpoint and the model");
}

BOOST_AUTO_TEST_SUITE_END()
