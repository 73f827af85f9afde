// Convolution and pooling beyond the formulas of the op table (table_nn.cpp): adjointness, ties,
// gradients that are added, and the errors.
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace {

using namespace reference;

double inner(const Variable& a, const Variable& b) { return sum(a * b).item(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(convolution)

// <unfold x, c> = <x, fold c>
BOOST_AUTO_TEST_CASE(unfold_and_fold_are_adjoint) {
  for (const Conv2dOptions& o : {Conv2dOptions{}, Conv2dOptions{.padding = 2, .stride = 2},
                                 Conv2dOptions{.dilation = {2, 3}, .padding = {1, 4}}}) {
    Array x = numbers({2, 3, 7, 8});
    Variable columns = unfold2d(x, {3, 2}, o);
    Array c = numbers(columns.shape(), 2);
    double left = inner(columns, c), right = inner(x, fold2d(c, {7, 8}, {3, 2}, o));
    BOOST_TEST(std::abs(left - right) < 1e-11);
  }
}

// Convolution is a product with the windows.
BOOST_AUTO_TEST_CASE(convolution_is_a_product_with_unfolded_windows) {
  Array x = numbers({3, 4, 9, 7}), W = numbers({5, 4, 3, 2}, 2);
  Conv2dOptions o{.dilation = 2, .padding = {2, 1}, .stride = {1, 2}};
  Variable y = conv2d(x, W, o);
  Variable product = matmul(Variable(W.reshaped({5, 24})),
                            reshape(unfold2d(x, {3, 2}, o), {3, 24, -1}));
  BOOST_TEST(close(y, reshape(product, y.shape()).value()));
}

BOOST_AUTO_TEST_CASE(gradients_are_added) {
  Array x = numbers({2, 3, 5, 4}), W = numbers({3, 3, 3, 3}, 2), V = numbers({3, 3, 1, 1}, 3);
  auto gradients = [&](bool create_graph) {
    Tape tape;
    Variable a = tape.watch(x), w = tape.watch(W);
    Variable y = conv2d(conv2d(a, V), w, {.padding = 1}) + conv2d(a, w, {.padding = 1});
    return grad(sum(square(y)), {a, w}, {.create_graph = create_graph});
  };
  std::vector<Variable> kernel = gradients(false), composed = gradients(true);
  for (std::size_t k = 0; k < 2; ++k)
    BOOST_TEST(close(kernel[k], composed[k].value(), 1e-12));
  BOOST_TEST(gradcheck([&](auto& a, auto& w) {
    return conv2d(conv2d(a, V), w, {.padding = 1}) + conv2d(a, w, {.padding = 1});
  }, {{1, 3, 3, 2}, {3, 3, 3, 3}}));
}

// A constant image or kernel costs no gradient and gives none.
BOOST_AUTO_TEST_CASE(only_what_is_wanted) {
  Array x = numbers({1, 2, 4, 4}), W = numbers({2, 2, 3, 3}, 2);
  for (bool create_graph : {false, true}) {
    Tape tape;
    Variable a = tape.watch(x), w = tape.watch(W), y = sum(square(conv2d(a, w)));
    std::vector<Variable> both = grad(y, {a, w}, {.create_graph = true});
    Variable ga = grad(sum(square(conv2d(a, W))), a, {.create_graph = create_graph});
    Variable gw = grad(sum(square(conv2d(x, w))), w, {.create_graph = create_graph});
    BOOST_TEST(close(ga, both[0].value(), 1e-12));
    BOOST_TEST(close(gw, both[1].value(), 1e-12));
  }
}

BOOST_AUTO_TEST_CASE(first_maximum_of_a_window_gets_the_gradient) {
  Array x = values(std::vector<double>{1, 3, 3, 0, 3, 3, 0, 0}, {1, 1, 2, 4});
  Tape tape;
  Variable v = tape.watch(x), y = max_pool2d(v, {.size = 2});
  BOOST_TEST(close(y, values(std::vector<double>{3, 3}, {1, 1, 1, 2})));
  Array expected = values(std::vector<double>{0, 1, 1, 0, 0, 0, 0, 0}, {1, 1, 2, 4});
  BOOST_TEST(close(grad(sum(y), v), expected));
}

BOOST_AUTO_TEST_CASE(no_output_channels_or_images) {
  BOOST_TEST(conv2d(zeros({2, 3, 4, 4}), zeros({0, 3, 3, 3})).shape() == Shape({2, 0, 2, 2}));
  BOOST_TEST(close(conv2d(zeros({1, 0, 2, 2}), zeros({2, 0, 1, 1})), zeros({1, 2, 2, 2})));
  BOOST_TEST(max_pool2d(zeros({0, 3, 4, 4})).shape() == Shape({0, 3, 2, 2}));
}

BOOST_AUTO_TEST_CASE(errors) {
  Array x = zeros({2, 4, 5, 6});
  BOOST_TEST(error_of([&] { conv2d(x, zeros({3, 4, 3})); }) ==
             "[conv2d] x is (2, 4, 5, 6), W is (3, 4, 3); expected x (N, C, H, W) and "
             "W (O, C / groups, KH, KW).");
  BOOST_TEST(error_of([&] { conv2d(x, zeros({3, 3, 3, 3})); }) ==
             "[conv2d] channels do not fit: x is (2, 4, 5, 6), W is (3, 3, 3, 3), groups 1; "
             "expected W (O, C / groups, KH, KW) with O a multiple of groups.");
  BOOST_TEST(error_of([&] { conv2d(x, zeros({3, 2, 3, 3}), {.groups = 2}); }) ==
             "[conv2d] channels do not fit: x is (2, 4, 5, 6), W is (3, 2, 3, 3), groups 2; "
             "expected W (O, C / groups, KH, KW) with O a multiple of groups.");
  BOOST_TEST(error_of([&] { conv2d(x, zeros({3, 4, 3, 3}), {.dilation = 3}); }) ==
             "[conv2d] kernel (3, 3) with dilation (3, 3) does not fit into image (5, 6) with "
             "padding (0, 0); use a smaller kernel or more padding.");
  BOOST_TEST(error_of([&] { conv2d(x, zeros({3, 4, 3, 3}), {.stride = {1, 0}}); }) ==
             "[conv2d] kernel (3, 3), stride (1, 0), dilation (1, 1); expected positive numbers.");
  BOOST_TEST(error_of([&] { conv2d(x, zeros({3, 4, 3, 3}), {.padding = -1}); }) ==
             "[conv2d] padding is (-1, -1); expected 0 or more.");
  BOOST_TEST(error_of([&] { conv1d(x, zeros({3, 4, 3})); }) ==
             "[conv1d] x is (2, 4, 5, 6), W is (3, 4, 3); expected x (N, C, L) and "
             "W (O, C / groups, K).");
  BOOST_TEST(error_of([&] { max_pool2d(x[0]); }) ==
             "[max_pool2d] x is (4, 5, 6); expected (N, C, H, W).");
  BOOST_TEST(error_of([&] { fold2d(zeros({1, 2, 9, 7}), {5, 6}, 3); }) ==
             "[fold2d] columns are (1, 2, 9, 7); expected (N, C, 9, 12).");
}

BOOST_AUTO_TEST_SUITE_END()
