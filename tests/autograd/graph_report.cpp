// Drawings and reports of a tape: what is in them, and that Graphviz accepts the drawing.
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unroll/autograd/graph.hpp>
#include <unroll/autograd/report.hpp>

#include "small_ops.hpp"

using namespace unroll;

namespace {

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// h = tanh(x W + h U) over three steps, in scope rnn; x is (3, 1, 2).
struct Network {
  Parameter W{"W", values({{.1, .2}, {.3, .4}})}, U{"U", values({{.5, .6}, {.7, .8}})};
  Variable run(const Variable& x) const {
    Scope scope("rnn");
    Variable h = zeros({1, 2});
    for (Size t = 0; t < 3; ++t) {
      scope.step(t);
      h = small::tanh(add(small::matmul(x[t], W), small::matmul(h, U)));
    }
    scope.step(-1);
    return small::sum(h);
  }
};

bool graphviz_accepts(const std::string& path) {
  return std::system(("dot -Tsvg " + path + " -o " + path + ".svg").c_str()) == 0;
}
bool has_graphviz() { return std::system("dot -V > /dev/null 2>&1") == 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(graph_and_report)

BOOST_AUTO_TEST_CASE(drawing_of_three_steps) {
  Tape tape({.keep_values = true});
  Network net;
  Variable loss = net.run(tape.watch(ones({3, 1, 2})));
  std::string text = dot(tape);
  BOOST_TEST(count(text, "[label=\"W\\n(2, 2)\"") == 1);  // once, though used three times
  BOOST_TEST(count(text, "[label=\"U\\n(2, 2)\"") == 1);
  BOOST_TEST(count(text, "[label=\"input\\n(3, 1, 2)\"") == 1);
  BOOST_TEST(count(text, "[label=\"matmul\\n(1, 2)\"") == 6);
  BOOST_TEST(count(text, "[label=\"tanh\\n(1, 2)\"") == 3);
  BOOST_TEST(count(text, "label=\"rnn\"") == 4);  // three columns, and the sum
  for (const char* step : {"t=0", "t=1", "t=2"}) BOOST_TEST(count(text, std::string("\"") + step + "\"") == 1);
  BOOST_TEST(count(text, "t0 -> t1 -> t2") == 1);
  BOOST_TEST(count(text, "color=\"#2f6d2f\"") == 2);  // h from step to step
  BOOST_TEST(count(text, "(1, 2)\\n") == 0);
  std::string numbers = dot(tape, {.values = true});
  BOOST_TEST(count(numbers, "W\\n(2, 2)\\n0.1 0.2\\n0.3 0.4\"") == 1);
  BOOST_TEST(count(numbers, "matmul\\n(1, 2)\\n0.4 0.6\"") == 3);
  tape.backward(loss);
  BOOST_TEST(count(dot(tape), "[label=\"matmul\\n(1, 2)\"") == 6);  // also of a released tape
}

BOOST_AUTO_TEST_CASE(drawing_of_one_step) {
  Tape tape;
  Network net;
  net.run(tape.watch(ones({3, 1, 2})));
  std::string text = dot(tape, {.step = 1});
  BOOST_TEST(count(text, "[label=\"matmul\\n(1, 2)\"") == 2);
  BOOST_TEST(count(text, "[label=\"tanh of t=0\\n(1, 2)\"") == 1);
  BOOST_TEST(count(text, "sum_to") == 0);
  BOOST_CHECK_EXCEPTION(dot(tape, {.step = 7}), Error, [](const Error& e) {
    return std::string(e.what()) == "[dot] no node was recorded at step 7; see Scope::step.";
  });
}

BOOST_AUTO_TEST_CASE(drawing_of_gradients_and_odd_names) {
  Tape tape;
  Parameter p("a \"quoted\" \\ name", ones({2}));
  Variable loss = small::sum(small::square(p));
  grad(loss, p, {.create_graph = true});
  std::string text = dot(tape), with = dot(tape, {.gradients = true});
  BOOST_TEST(count(text, "a \\\"quoted\\\" \\\\ name") == 1);
  BOOST_TEST(count(with, "[label=\"mul") > count(text, "[label=\"mul"));
  Tape empty;
  BOOST_TEST(count(dot(empty), "digraph tape {") == 1);
}

BOOST_AUTO_TEST_CASE(files_that_graphviz_reads) {
  Tape tape({.keep_values = true});
  Network net;
  Variable loss = net.run(tape.watch(ones({3, 1, 2})));
  grad(loss, {net.W}, {.create_graph = true});
  auto folder = std::filesystem::temp_directory_path() / "unroll_test_graph";
  std::filesystem::create_directories(folder);
  std::string path = (folder / "tape.dot").string();
  save_dot(tape, path, {.gradients = true, .values = true});
  std::ifstream in(path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  BOOST_TEST(text == dot(tape, {.gradients = true, .values = true}));
  if (has_graphviz()) {
    BOOST_TEST(graphviz_accepts(path));
    save_dot(tape, path, {.step = 1});
    BOOST_TEST(graphviz_accepts(path));
  } else {
    std::printf("skipped: Graphviz (no dot)\n");
  }
  std::filesystem::remove_all(folder);
  BOOST_CHECK_EXCEPTION(save_dot(tape, (folder / "no" / "such.dot").string()), Error, [](const Error& e) {
    return std::string(e.what()).rfind("[save_dot] cannot write ", 0) == 0;
  });
}

BOOST_AUTO_TEST_CASE(report_counts) {
  Tape tape;
  Network net;
  Variable loss = net.run(tape.watch(ones({3, 1, 2})));
  TapeReport r = report(tape);
  BOOST_TEST(r.total.nodes == tape.nodes());
  BOOST_TEST(r.total.nodes == 3 * 5 + 1);
  BOOST_TEST(r.total.bytes == 3 * 4 * 2 * 4 + 4);  // index is a view
  BOOST_REQUIRE(r.steps.size() == 4u);
  BOOST_TEST(r.steps[0].name == "no step");
  BOOST_TEST(r.steps[1].name == "t=0");
  BOOST_TEST(r.steps[1].nodes == 5);
  BOOST_TEST(r.steps[1].bytes == 4 * 2 * 4);
  Size matmuls = 0;
  for (const TapeRow& row : r.ops)
    if (row.name == "matmul") matmuls = row.nodes;
  BOOST_TEST(matmuls == 6);
  BOOST_TEST(r.total.kept > 0);
  BOOST_TEST(!r.timed);
  BOOST_TEST(r.text().find("total") != std::string::npos);
  BOOST_TEST(r.text().find("forward") == std::string::npos);
  tape.backward(loss);
  BOOST_TEST(report(tape).total.kept == 0);
  BOOST_TEST(report(tape).total.nodes == 16);
}

BOOST_AUTO_TEST_CASE(report_times) {
  Tape tape({.profile = true});
  Network net;
  Variable loss = net.run(tape.watch(ones({3, 1, 2})));
  tape.backward(loss);
  TapeReport r = report(tape);
  BOOST_TEST(r.timed);
  BOOST_TEST(r.total.forward > 0);
  BOOST_TEST(r.total.backward > 0);
  double forward = 0, backward = 0;
  for (const TapeRow& row : r.steps) forward += row.forward, backward += row.backward;
  BOOST_TEST(forward == r.total.forward, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(backward == r.total.backward, boost::test_tools::tolerance(1e-9));
  for (std::size_t k = 1; k < r.ops.size(); ++k)
    BOOST_TEST(r.ops[k - 1].forward + r.ops[k - 1].backward >= r.ops[k].forward + r.ops[k].backward);
  BOOST_TEST(r.text().find("backward") != std::string::npos);
  std::ostringstream out;
  out << r;
  BOOST_TEST(out.str() == r.text());
}

BOOST_AUTO_TEST_SUITE_END()
