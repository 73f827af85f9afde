// What holds for every cell of the table (cell_table.hpp), whose equations have files of their own,
// cells_by_element.cpp and cells_values.cpp. Padding, direction, recomputation and truncation are in
// cells_over_time.cpp.
#include <filesystem>
#include <regex>

#include "cell_table.hpp"

#include "common/paths.hpp"

#include <unroll/ops/loss.hpp>

using namespace cell_table;

BOOST_AUTO_TEST_SUITE(cells)

BOOST_AUTO_TEST_CASE(every_cell_has_a_row) {
  const auto layers = tests_dir().parent_path() / "layers";
  std::string rows;
  for (const std::string& line : lines_of(tests_dir() / "layers" / "cell_table.hpp")) rows += line;
  const std::regex declaration(R"(^struct (\w+) : \w+ \{)");
  int cells = 0;
  for (const auto& header : std::filesystem::directory_iterator(layers / "cells"))
    for (const std::string& line : lines_of(header.path())) {
      std::smatch match;
      if (!std::regex_search(line, match, declaration)) continue;
      ++cells;
      BOOST_TEST(rows.find("Recurrent(" + match[1].str() + "(") != rows.npos,
                 match[1] << " of " << header.path().filename() << " has no row");
    }
  BOOST_TEST(cells >= 16);
}

BOOST_AUTO_TEST_CASE(gradients_to_order_two_through_five_steps) {
  for_each_cell(
      [](const Row& row) { BOOST_TEST(gradcheck(row.make(), row.input(5, 2), {.order = 2})); });
}

BOOST_AUTO_TEST_CASE(gradients_of_padded_batches_in_both_directions) {
  const Array mask = values({{1, 0, 0}, {0, 0, 1}, {1, 0, 1}, {0, 0, 1}});
  for_each_cell([&](const Row& row) {
    for (bool reverse : {false, true}) {
      BOOST_TEST(gradcheck(row.make(), row.input(4, 3),
                           {.lengths = {2, 0, 4}, .order = 2, .reverse = reverse}));
      BOOST_TEST(gradcheck(row.make(), row.input(4, 3),
                           {.mask = mask, .order = 2, .reverse = reverse}));
    }
  });
}

// What fuse() compiles into one loop is composed of ordinary ops where a graph of the gradient is
// wanted, and forward where anomalies are looked for.
BOOST_AUTO_TEST_CASE(fused_equals_composed) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    auto outputs = [&](const Variable& xs) { return over_time(cell, xs).outputs(); };
    const Variables fused = gradients(cell, x, outputs);
    const Variables composed = gradients(cell, x, outputs, {.create_graph = true});
    for (std::size_t k = 0; k < fused.size(); ++k)
      BOOST_TEST(distance(fused[k], composed[k]) < 1e-12);
    const Variable y = outputs(x);
    Tape tape({.anomaly = true});
    BOOST_TEST(distance(outputs(tape.watch(x)), y) < 1e-14);
  });
}

// As DropConnect does it.
BOOST_AUTO_TEST_CASE(other_weights_stand_in_for_its_own) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    std::vector<Substitution::Pair> pairs;
    for (const Parameter& p : cell.parameters()) {
      pairs.push_back({p, 0.5 * random(p.shape(), 9)});
    }
    Variable replaced;
    {
      Substitution in_place(pairs);
      replaced = over_time(cell, x).outputs();
    }
    for (Substitution::Pair& p : pairs) p.parameter.assign(p.value.value());
    BOOST_TEST(distance(replaced, over_time(cell, x).outputs()) < 1e-14);
  });
}

BOOST_AUTO_TEST_CASE(saving_and_loading_is_the_identity) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make(1), other = row.make(2);
    save(cell, "cell.safetensors");
    load(other, "cell.safetensors");
    Array x = row.input(5, 2).to(float32);
    BOOST_TEST(
        identical(over_time(cell, x).outputs().value(), over_time(other, x).outputs().value()));
  });
  std::remove("cell.safetensors");
}

BOOST_AUTO_TEST_CASE(thirty_steps_lower_the_loss) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    Array x = row.input(6, 8).to(float32), y = random({8, 1}, 5).to(float32);
    Linear readout(over_time(cell, x).outputs()[5].size() / 8, 1);
    Generator generator(2);
    readout.initialise(generator);
    // The cell alone, if it learns anything: a readout could do it without.
    Adam optimiser(learns(cell) ? ParameterList(cell) : ParameterList(readout),
                   {.learning_rate = 0.02});
    freeze(learns(cell) ? static_cast<Module&>(readout) : cell);
    double first = 0, last = 0;
    for (int k = 0; k < 30; ++k) {
      Tape tape;
      Variable seen = reshape(over_time(cell, x).outputs()[5], {8, -1});
      Variable loss = mean_squared_error(readout(seen), y);
      tape.backward(loss);
      optimiser.step();
      (k ? last : first) = loss.item();
    }
    BOOST_TEST(last < 0.8 * first);
  });
}

BOOST_AUTO_TEST_SUITE_END()
