// Programs say `using namespace std; using namespace unroll;`: no name of ours may be a class of
// std, nor a call of a function of ours ambiguous with its namesake there.
#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cmath>
#include <complex>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <ranges>
#include <set>
#include <string>
#include <thread>
#include <valarray>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <unroll/autograd/tape.hpp>
#include <unroll/ops/ops.hpp>

using namespace std;
using namespace unroll;

BOOST_AUTO_TEST_SUITE(names_beside_std)

BOOST_AUTO_TEST_CASE(moving) {
  Variable x = values({{1, 2, 3}, {4, 5, 6}});
  Variable y = reshape(x, {3, 2});
  y = transpose(y), y = permute(x, {1, 0}), y = expand(x, 0), y = squeeze(y, 0);
  y = sliced(x, 0, 0, 1), y = select(x, 0, 1), y = flip(x, {0}), y = roll(x, 1, 0);
  y = tile(x, {2, 1}), y = repeat(x, 2, 0), y = pad(x, {{0, 1}, {1, 0}});
  y = concat({x, x}), y = concat({x, x}, 0), y = stack_along({x, x}), y = stack_along({x, x}, 1);
  vector<Variable> parts = unstack(x);
  parts = split(x, {1, 1}, 0), parts = split(x, {1, 2}), parts = chunk(x, 3),
  parts = chunk(x, 2, 0);
  auto [a, b, c] = chunk<3>(x);
  y = diagonal(x), y = trace(x), y = tril(x), y = triu(x, 1);
  BOOST_TEST(c.value().at({1, 0}) == 6);
}

BOOST_AUTO_TEST_CASE(reducing) {
  Variable x = values({{1, 2, 3}, {4, 5, 6}});
  Variable y = sum(x);
  y = sum(x, {.axes = {0}}), y = mean(x), y = mean(x, {.keepdims = true}), y = prod(x),
  y = prod(x, {{1}});
  y = max(x), y = max(x, {.axes = {0}}), y = max(x, {}),
  y = max(x, {.axes = {0}, .keepdims = true});
  y = min(x), y = min(x, {.axes = {-1}}), y = min(x, {}), y = amax(x), y = amin(x, {.axes = {0}});
  y = argmax(x), y = argmin(x, 0), y = variance(x), y = variance(x, {.axes = {0}, .correction = 1});
  y = standard_deviation(x, {.axes = {0}}), y = norm(x), y = norm(x, {.axes = {0}}),
  y = norm(x, {.p = 1});
  y = cumsum(x, 0), y = cumprod(x, -1);
  BOOST_TEST(max(x).item() == 6);
  BOOST_TEST(max(1, 2) == 2);  // std's are still there
  y = max(x, x), y = min(x, 2 * x), y = max(x, 1.0), y = min(Array(x.value()), x);
  y = fuse([](auto a, auto b) { return max(a, b) - min(a, b); }, x, 2 * x);
  BOOST_TEST(y.value().at({1, 2}) == 6);
  BOOST_TEST(to_string(0.5) == "0.500000");
  BOOST_TEST(norm(complex<double>(3, 4)) == 25);
}

BOOST_AUTO_TEST_CASE(choosing) {
  Variable x = values({{1, 2, 3}, {4, 5, 6}});
  Variable y = gather(x, 0, Variable(zeros({1, 3}, int64)));
  y = scatter_add(x, 0, zeros({1, 3}, int64), ones({1, 3})), y = index_select(x, 1, indices({0}));
  y = index_add(x, 0, indices({1}), ones({1, 3})), y = index(x, {indices({0}), indices({1})});
  y = masked_select(x, x > 2), y = embedding(x, indices({1, 0})), y = one_hot(indices({1}), 2);
  Sorted s = sort(x);
  s = sort(x, 0), s = sort(x, 0, true), s = sort(x, -1, false), s = topk(x, 1),
  s = topk(x, 1, {.axis = 0});
  vector<int> numbers{2, 1};
  sort(numbers.begin(), numbers.end());
  BOOST_TEST(numbers[0] == 1);
  BOOST_TEST(s.values.value().at({0, 0}) == 4);
}

BOOST_AUTO_TEST_CASE(multiplying) {
  Variable x = values({{1, 2}, {3, 4}});
  Variable y = matmul(x, x);
  y = dot(x[0], x[1]), y = outer(x[0], x[1]), y = einsum("ij,jk->ik", {x, x});
  BOOST_TEST(y.value().at({0, 0}) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
