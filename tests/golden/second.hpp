// What the handlers of second-order cases share.
#pragma once

#include "run.hpp"

namespace golden {

/// Sum over k of sum(a[k] * b[k]).
Variable inner_product(const Variables& a, const Variables& b);

/// out.hvp.* against H v, where v are the in.v.* and H is the Hessian of loss with respect to the
/// inputs and parameters of these names together.
void compare_hessian_product(Run& run, const Variable& loss);

/// Cases of `second` whose metadata has a recurrent `kind`.
void run_second_recurrent(Run& run);

}  // namespace golden
