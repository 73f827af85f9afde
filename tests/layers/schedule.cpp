// Learning rates over time: values at the ends and corners, and the plateau's memory. Golden group
// `schedule` has PyTorch's numbers.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <unroll/layers/optimiser.hpp>
#include <unroll/layers/save.hpp>
#include <unroll/layers/schedule.hpp>

#include "common/error_of.hpp"

using namespace unroll;

namespace {

template <class Schedule>
std::vector<double> rates(const Schedule& schedule, std::initializer_list<Size> epochs) {
  std::vector<double> list;
  for (Size epoch : epochs) list.push_back(schedule(epoch));
  return list;
}

void check(const std::vector<double>& found, const std::vector<double>& expected) {
  BOOST_TEST_REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    BOOST_TEST(found[k] == expected[k], boost::test_tools::tolerance(1e-12));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(steps) {
  check(rates(StepSchedule{.base = 8, .every = 3, .factor = 0.5}, {0, 2, 3, 5, 6, 9}),
        {8, 8, 4, 4, 2, 1});
  check(
      rates(MultistepSchedule{.base = 8, .factor = 0.5, .milestones = {2, 5}}, {0, 1, 2, 4, 5, 99}),
      {8, 8, 4, 4, 2, 2});
  check(rates(MultistepSchedule{.base = 8, .factor = 0.5, .milestones = {5, 2, 2}}, {2, 5}),
        {2, 1});
  check(rates(ExponentialSchedule{.base = 8, .factor = 0.5}, {0, 1, 3}), {8, 4, 1});
}

BOOST_AUTO_TEST_CASE(cosine) {
  check(rates(CosineSchedule{.base = 3, .epochs = 10, .minimum = 1}, {0, 5, 10, 15, 20}),
        {3, 2, 1, 2, 3});
  check(rates(CosineRestartsSchedule{.base = 3, .epochs = 4, .growth = 2, .minimum = 1},
              {0, 2, 4, 8, 12, 20, 28}),
        {3, 2, 3, 2, 3, 2, 3});
  CosineRestartsSchedule equal{.base = 3, .epochs = 4};
  check(rates(equal, {2, 4, 1'000'000'000'002}), {1.5, 3, 1.5});
}

BOOST_AUTO_TEST_CASE(lines_and_warmup) {
  check(rates(LinearSchedule{.base = 8, .end = 1, .epochs = 4, .start = 0.5}, {0, 2, 4, 9}),
        {4, 6, 8, 8});
  check(rates(LinearSchedule{.base = 8, .end = 0, .epochs = 4, .start = 1}, {0, 1, 4, 5}),
        {8, 6, 0, 0});
  check(rates(WarmupSchedule{.base = 8, .warmup = 4}, {0, 1, 3, 4, 99}), {2, 4, 8, 8, 8});
  check(rates(InverseSqrtSchedule{.base = 8, .warmup = 4}, {0, 3, 15, 63}), {2, 8, 4, 2});
}

BOOST_AUTO_TEST_CASE(sets_the_rate_of_an_optimiser) {
  Parameter w("w", values({1}, float64));
  SGD optimiser(w, {.learning_rate = 100});
  StepSchedule schedule{.base = 0.5, .every = 1, .factor = 0.5};
  for (Size epoch = 0; epoch < 2; ++epoch) {
    optimiser.set_learning_rate(schedule(epoch));
    w.set_grad(values({1}, float64));
    optimiser.step();
  }
  BOOST_TEST(optimiser.learning_rate() == 0.25);
  BOOST_TEST(w.item() == 0.25);  // 1 - 0.5 - 0.25
}

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  BOOST_TEST(error_of([] { StepSchedule{}(-1); }) ==
             "[step_schedule] epoch is -1; epochs count from 0.");
  BOOST_TEST(error_of([] { CosineSchedule{.epochs = 0}(3); }) ==
             "[cosine_schedule] epochs is 0; expected at least 1.");
  BOOST_TEST(error_of([] { CosineRestartsSchedule{.growth = 0}(3); }) ==
             "[cosine_restarts_schedule] growth is 0; expected at least 1.");
  BOOST_TEST(error_of([] { PlateauSchedule(1, {.factor = 1}); }) ==
             "[plateau_schedule] factor is 1; expected at least 0 and less than 1.");
}

BOOST_AUTO_TEST_CASE(plateau_waits_for_its_patience) {
  PlateauSchedule schedule(1, {.factor = 0.5, .patience = 2, .threshold = 0.1});
  BOOST_TEST(schedule.update(10) == 1);
  BOOST_TEST(schedule.update(9.5) == 1);           // not 10 % better: bad
  BOOST_TEST(schedule.update(9.1) == 1);           // bad
  BOOST_TEST(schedule.update(8.9) == 1);           // good: counts from here
  BOOST_TEST(schedule.update(std::nan("")) == 1);  // NaN is bad
  BOOST_TEST(schedule.update(9) == 1);
  BOOST_TEST(schedule.update(9) == 0.5);
  BOOST_TEST(schedule.update(9) == 0.5);
  BOOST_TEST(schedule.rate() == 0.5);
}

BOOST_AUTO_TEST_CASE(plateau_cools_down_and_stops_at_the_minimum) {
  PlateauSchedule schedule(1, {.absolute = true,
                               .cooldown = 2,
                               .factor = 0.1,
                               .maximise = true,
                               .minimum = 0.05,
                               .patience = 0,
                               .threshold = 0});
  std::vector<double> found;
  for (int k = 0; k < 8; ++k) found.push_back(schedule.update(1));
  check(found, {1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05});
  PlateauSchedule tiny(1.05e-8, {.factor = 0.1, .patience = 0});
  tiny.update(1);
  BOOST_TEST(tiny.update(1) == 1.05e-8);  // would change by less than 1e-8
}

BOOST_AUTO_TEST_CASE(plateau_resumes_from_its_state) {
  const PlateauOptions options{.cooldown = 1, .factor = 0.5, .patience = 1};
  const std::vector<double> metrics{5, 4, 4.5, 4.4, 4.3, 4.2, 3.9, 4, 4.1, 4.2, 4.3};
  for (std::size_t stop = 0; stop < metrics.size(); ++stop) {
    PlateauSchedule whole(1, options), first(1, options), second(123, options);
    for (std::size_t k = 0; k < stop; ++k) whole.update(metrics[k]), first.update(metrics[k]);
    second.set_state(from_safetensors(to_safetensors(first.state())).arrays);
    BOOST_TEST(second.rate() == whole.rate());
    for (std::size_t k = stop; k < metrics.size(); ++k)
      BOOST_TEST(second.update(metrics[k]) == whole.update(metrics[k]));
    BOOST_TEST(whole.rate() < 0.5);
  }
  PlateauSchedule schedule(1);
  NamedArrays state = schedule.state();
  state.erase("best");
  BOOST_TEST(error_of([&] { schedule.set_state(state); }) ==
             "[plateau_schedule] the state has no number 'best'; expected bad, best, cooldown and "
             "rate, as state() returns them.");
}

BOOST_AUTO_TEST_SUITE_END()
