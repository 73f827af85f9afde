// The pieces of a training loop: workers, budget, learning rate, texts for people.
#include <boost/test/unit_test.hpp>

#include <pty.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "common/progress.hpp"
#include "common/training.hpp"
#include "common/workers.hpp"

using namespace tasks;

BOOST_AUTO_TEST_SUITE(training)

BOOST_AUTO_TEST_CASE(a_share_stays_with_its_thread) {
  Workers workers(3);
  std::vector<std::thread::id> first(3), second(3);
  workers.run([&](int k) { first[k] = std::this_thread::get_id(); });
  workers.run([&](int k) { second[k] = std::this_thread::get_id(); });
  BOOST_TEST(workers.count() == 3);
  BOOST_TEST((first == second));
  BOOST_TEST((first[0] == std::this_thread::get_id()));
  BOOST_TEST((first[1] != first[2]));
}

BOOST_AUTO_TEST_CASE(workers_pass_errors_on_and_go_on) {
  Workers workers(4);
  std::atomic<int> calls = 0;
  const auto work = [&](int k) {
    ++calls;
    if (k >= 2) throw std::runtime_error("worker " + std::to_string(k));
  };
  for (int round = 0; round < 2; ++round) {
    BOOST_CHECK_EXCEPTION(workers.run(work), std::runtime_error, [](const std::runtime_error& e) {
      return e.what() == std::string("worker 2");
    });
  }
  BOOST_CHECK_NO_THROW(workers.run([&](int) { ++calls; }));
  BOOST_TEST(calls == 12);
}

BOOST_AUTO_TEST_CASE(budget_of_epochs) {
  const Budget budget(20, 0);
  BOOST_TEST(budget.done(0) == 0);
  BOOST_TEST(budget.done(2.5) == 0.125);
  BOOST_TEST(budget.done(30) == 1);
}

BOOST_AUTO_TEST_CASE(budget_of_minutes) {
  Budget budget(0, 1e-3);  // 60 ms
  BOOST_TEST(budget.done(1) < 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(80));
  BOOST_TEST(budget.done(1) == 1);
  BOOST_TEST(budget.seconds_left(1) == 0);
}

BOOST_AUTO_TEST_CASE(seconds_of_an_earlier_run_count) {
  const Budget budget(0, 1, 45);
  BOOST_TEST(budget.seconds() >= 45);
  BOOST_TEST(budget.done(0) >= 0.75);
}

BOOST_AUTO_TEST_CASE(the_learning_rate_rises_then_falls) {
  BOOST_TEST(warm_up(0) == 0.02);
  BOOST_TEST(warm_up(49) == 1);
  BOOST_TEST(cosine_rate(1, 0) == 1);
  BOOST_TEST(cosine_rate(1, 0.5) == 0.51, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(cosine_rate(1, 1) == 0.02, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(numbers_for_people) {
  BOOST_TEST(clock_text(7) == "0:07");
  BOOST_TEST(clock_text(754) == "12:34");
  BOOST_TEST(clock_text(3723) == "1:02:03");
  BOOST_TEST(clock_text(59.7) == "1:00");
  BOOST_TEST(count_text(873) == "873");
  BOOST_TEST(count_text(9999) == "10.0 k");
  BOOST_TEST(count_text(45210) == "45.2 k");
  BOOST_TEST(count_text(1.234e6) == "1.23 M");
  BOOST_TEST(fixed(1.23456, 2) == "1.23");
}

BOOST_AUTO_TEST_CASE(plain_lines_where_there_is_no_terminal) {
  std::FILE* file = std::tmpfile();
  {
    Progress progress(file);
    for (int k = 0; k < 100; ++k)
      progress.update("step " + std::to_string(k));  // too fresh to show
    progress.line("done");
  }
  std::rewind(file);
  char text[256] = {};
  const std::size_t bytes = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  BOOST_TEST(std::string(text, bytes) == "done\n");
}

BOOST_AUTO_TEST_CASE(an_opening_is_shown_when_something_follows) {
  std::FILE* file = std::tmpfile();
  { Progress(file).opening("refused before its first step"); }
  {
    Progress progress(file);
    progress.opening("words");
    progress.opening("weights");
    progress.update("too fresh to show");
    progress.line("done");
  }
  std::rewind(file);
  char text[256] = {};
  const std::size_t bytes = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  BOOST_TEST(std::string(text, bytes) == "words\nweights\ndone\n");
}

BOOST_AUTO_TEST_CASE(one_line_written_over_on_a_terminal) {
  int terminal = -1, program = -1;
  BOOST_REQUIRE(openpty(&terminal, &program, nullptr, nullptr, nullptr) == 0);
  std::FILE* out = fdopen(program, "w");
  const auto fresh = [] { std::this_thread::sleep_for(std::chrono::milliseconds(120)); };
  std::string text;
  {
    Progress progress(out);
    for (const char* step : {"step 1", "step 2"}) {
      fresh();
      progress.update(step);
      progress.update("too fresh to show");
    }
    progress.line("a line that stays");
    fresh();
    progress.update("step 3");
  }
  std::fclose(out);  // what was written can still be read, in pieces
  char bytes[256];
  for (ssize_t n; (n = read(terminal, bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(n));
  close(terminal);
  const std::string clear = "\r\033[K";
  BOOST_TEST(text == "\rstep 1\033[K\rstep 2\033[K" + clear + "a line that stays\r\n" +
                         "\rstep 3\033[K" + clear);
}

BOOST_AUTO_TEST_SUITE_END()
