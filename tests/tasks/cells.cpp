// Cells by name: each one runs in layers and directions, and other names are refused.
#include <algorithm>

#include <boost/test/unit_test.hpp>

#include <unroll/ops/reduce.hpp>

#include "common/bad_input.hpp"
#include "common/cells.hpp"

using namespace unroll;

BOOST_AUTO_TEST_SUITE(cells_by_name)

BOOST_AUTO_TEST_CASE(each_name_is_a_cell_of_its_own) {
  std::vector<std::string> labels;
  for (const std::string& name : tasks::cell_names()) {
    BOOST_TEST_CONTEXT(name) {
      const Recurrent rnn = tasks::recurrent_of(name, 3, 4, {.bidirectional = true, .layers = 2});
      BOOST_TEST(rnn.layers() == 2);
      BOOST_TEST(rnn.is_bidirectional());
      const Variable outputs = over_time(rnn, ones({5, 2, 3})).outputs();
      BOOST_TEST((outputs.shape() == Shape{5, 2, 8}));
      std::string parameters = std::to_string(sum(outputs).item());
      for (const NamedParameter& p : rnn.named_parameters()) parameters += " " + p.name;
      labels.push_back(parameters);
    }
  }
  std::sort(labels.begin(), labels.end());
  BOOST_TEST((std::adjacent_find(labels.begin(), labels.end()) == labels.end()));
}

BOOST_AUTO_TEST_CASE(other_names_are_refused_with_the_list) {
  BOOST_CHECK_EXCEPTION(
      tasks::recurrent_of("GRU", 3, 4), tasks::BadInput, [](const tasks::BadInput& error) {
        return std::string(error.what())
            .starts_with("no cell 'GRU'; expected one of coupled-lstm, elman, gru, ");
      });
}

BOOST_AUTO_TEST_SUITE_END()
