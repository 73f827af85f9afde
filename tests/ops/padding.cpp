// Losses of padded batches, by lengths and by mask: each equals the loss of the real elements
// alone, whatever the padding holds. The losses themselves are in the op table (table_loss.cpp).
#include "reference.hpp"

#include <functional>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/padding.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

namespace {

using namespace reference;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<Size> lengths{3, 0, 2, 4};
const Array mask = length_mask(lengths, 4);

/// A loss of x (4, 4, 3) and y, which is either; `y` names what stands in padding.
struct Loss {
  const char* name;
  std::function<Variable(const Variable& x, const Variable& y, const LossOptions&)> f;
  Array y;
};

template <class Options, class F>
auto with(F f) {
  return [f](const Variable& x, const Variable& y, const LossOptions& o) {
    Options options;
    options.lengths = o.lengths;
    options.mask = o.mask;
    options.reduction = o.reduction;
    return f(x, y, options);
  };
}

Array targets() {
  return build({4, 4}, [](const Index& i) { return static_cast<double>((i[0] + i[1]) % 3); })
      .to(int64);
}

std::vector<Loss> losses() {
  Array y = numbers({4, 4, 3}, 7), p = softmax(numbers({4, 4, 3}, 8)).value();
  return {
      {"cross_entropy", with<CrossEntropyOptions>(cross_entropy), targets()},
      {"cross_entropy of probabilities", with<CrossEntropyOptions>(cross_entropy), p},
      {"nll_loss", with<NllOptions>(nll_loss), targets()},
      {"mean_squared_error", with<LossOptions>(mean_squared_error), y},
      {"mean_absolute_error", with<LossOptions>(mean_absolute_error), y},
      {"huber_loss", with<HuberOptions>(huber_loss), y},
      {"smooth_l1_loss", with<SmoothL1Options>(smooth_l1_loss), y},
      {"binary_cross_entropy_with_logits",
       with<BinaryCrossEntropyOptions>(binary_cross_entropy_with_logits), p},
      {"kl_divergence", with<KlDivergenceOptions>(kl_divergence), p},
  };
}

/// a with something no loss may read where padded.
Array spoilt(const Array& a) {
  Array result = a.copy();
  for (Size t = 0; t < 4; ++t)
    for (Size b = 0; b < 4; ++b)
      if (mask.at({t, b}) == 0)
        result[t].select(0, b).assign(full({}, a.type() == int64 ? -7 : kNan, a.type()));
  return result;
}

/// The real rows of a (4, 4, ...), one after the other.
Array real_rows(const Array& a) {
  std::vector<Size> rows;
  for (Size i = 0; i < 16; ++i)
    if (mask.at({i / 4, i % 4}) != 0) rows.push_back(i);
  Shape shape = a.shape();
  shape.erase(0);
  shape[0] = 16;
  Array flat = a.reshaped(shape);
  shape[0] = static_cast<Size>(rows.size());
  Array result(shape, a.type());
  for (std::size_t k = 0; k < rows.size(); ++k) result[static_cast<Size>(k)].assign(flat[rows[k]]);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(padding)

BOOST_AUTO_TEST_CASE(a_mask_of_lengths) {
  BOOST_TEST(identical(length_mask({2, 0, 3}, 3),
                       values(std::vector<Size>{1, 0, 1, 1, 0, 1, 0, 0, 1}, {3, 3})));
  BOOST_TEST(length_mask({}, 3).shape() == Shape({3, 0}));
}

BOOST_AUTO_TEST_CASE(losses_count_real_elements_only) {
  Array x = numbers({4, 4, 3}, 2);
  for (const Loss& loss : losses())
    for (bool by_mask : {false, true})
      for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        BOOST_TEST_CONTEXT(loss.name << (by_mask ? ", mask" : ", lengths")) {
          LossOptions options{.reduction = reduction};
          if (by_mask)
            options.mask = mask.to(float32);
          else
            options.lengths = lengths;
          Variable got = loss.f(spoilt(x), spoilt(loss.y), options);
          Array expected =
              loss.f(real_rows(x), real_rows(loss.y), {.reduction = reduction}).value();
          if (reduction == Reduction::none) {
            BOOST_TEST(close(real_rows(got.value()), expected));
            BOOST_TEST(close(sum(got), sum(expected).value()));  // 0 where padded
          } else {
            BOOST_TEST(close(got, expected));
          }
        }
      }
}

BOOST_AUTO_TEST_CASE(gradients_are_zero_in_padding) {
  Array x = numbers({4, 4, 3}, 2);
  for (const Loss& loss : losses())
    for (bool create_graph : {false, true}) {
      BOOST_TEST_CONTEXT(loss.name << (create_graph ? ", differentiable" : "")) {
        auto gradient = [&](const Array& x, const Array& y, const LossOptions& options) {
          Tape tape;
          Variable v = tape.watch(x);
          return grad(loss.f(v, y, options), v, {.create_graph = create_graph}).value();
        };
        Array got = gradient(spoilt(x), spoilt(loss.y), {.lengths = lengths});
        BOOST_TEST(close(real_rows(got), gradient(real_rows(x), real_rows(loss.y), {})));
        Variable everywhere = sum(abs(got));
        BOOST_TEST(close(everywhere, sum(abs(Variable(real_rows(got)))).value()));
      }
    }
}

BOOST_AUTO_TEST_CASE(gradients_of_gradients) {
  for (const Loss& loss : losses()) BOOST_TEST_CONTEXT(loss.name)
  BOOST_TEST(gradcheck([&](auto& x) { return loss.f(x, loss.y, {.lengths = lengths}); },
                       {numbers({4, 4, 3}, 2)}, {.order = 2}));
}

// A mask of all axes of the targets, and padding that is not at the end.
BOOST_AUTO_TEST_CASE(masks_of_more_axes) {
  Array x = values({{1, kNan}, {3, 4}}, float64), y = zeros({2, 2}, float64);
  Array some = values(std::vector<Size>{1, 0, 0, 1}, {2, 2});
  BOOST_TEST(mean_squared_error(x, y, {.mask = some}).item() == (1 + 16) / 2.0);
  BOOST_TEST(mean_squared_error(x, y, {.mask = indices({0, 1})}).item() == (9 + 16) / 2.0);
  Array logits = numbers({2, 3, 2, 5}), classes = zeros({2, 3, 2}, int64);
  Array last = logits.select(1, 2);
  BOOST_TEST(close(cross_entropy(logits, classes, {.mask = length_mask({0, 0, 2}, 2)}),
                   cross_entropy(last, zeros({2, 2}, int64)).value()));
}

BOOST_AUTO_TEST_CASE(no_real_element) {
  Array x = numbers({2, 2, 3}), y = zeros({2, 2}, int64), z = numbers({2, 2, 3}, 2);
  for (bool create_graph : {false, true}) {
    Tape tape;
    Variable v = tape.watch(x);
    Variable a = cross_entropy(v, y, {.lengths = {0, 0}}),
             b = mean_squared_error(v, z, {.lengths = {0, 0}});
    // Nor any element at all.
    const Variable none = sliced(v, 0, 0, 0);
    BOOST_TEST(std::isnan(mean_squared_error(none, z.sliced(0, 0, 0)).item()));
    BOOST_TEST(std::isnan(mean_squared_error(none, z.sliced(0, 0, 0), {.lengths = {0, 0}}).item()));
    for (const Variable& loss : {a, b}) {
      BOOST_TEST(std::isnan(loss.item()));
      BOOST_TEST(close(grad(loss, v, {.create_graph = create_graph, .retain_graph = true}),
                       zeros({2, 2, 3}, float64)));
    }
  }
}

BOOST_AUTO_TEST_CASE(errors) {
  Array x = zeros({4, 2, 3});
  auto error = [&](const LossOptions& options) {
    return error_of([&] { mean_squared_error(x, x, options); });
  };
  BOOST_TEST(error({.lengths = {1, 2, 3}}) ==
             "[mean_squared_error] 3 lengths for (4, 2, 3); expected one a sequence of "
             "(T, B, ...).");
  BOOST_TEST(error({.lengths = {1, 5}}) ==
             "[mean_squared_error] lengths[1] is 5; expected a number in [0, 4].");
  BOOST_TEST(error({.mask = ones({2, 4})}) ==
             "[mean_squared_error] mask is (2, 4); expected the first axes of (4, 2, 3), such as "
             "(T, B).");
  BOOST_TEST(error({.lengths = {1, 2}, .mask = ones({4, 2})}) ==
             "[mean_squared_error] lengths and a mask are given; expected one of them.");
  BOOST_TEST(error_of([] { length_mask({-1}, 3); }) ==
             "[length_mask] lengths[0] is -1; expected a number in [0, 3].");
}

BOOST_AUTO_TEST_SUITE_END()
