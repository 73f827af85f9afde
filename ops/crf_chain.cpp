// Checks and masks of linear chains; see crf_chain.hpp.
#include <unroll/ops/crf_chain.hpp>

#include <algorithm>

#include <unroll/ops/elementwise.hpp>

namespace unroll {

namespace {

/// The shape of the emissions, if they and all other scores fit together.
Shape checked_shape(const char* op, const LinearChain& chain) {
  const Variable &emissions = chain.emissions, &transitions = chain.transitions;
  if (emissions.rank() != 3 || !is_float(emissions.type()))
    fail(op, "emissions are ", emissions.type(), " ", emissions.shape(),
         "; expected float (T, B, K).");
  Size labels = emissions.size(2);
  if (transitions.shape() != Shape{labels, labels})
    fail(op, "transitions are ", transitions.shape(), ", emissions ", emissions.shape(),
         "; expected transitions (", labels, ", ", labels, ").");
  for (const Variable* ends : {&chain.start, &chain.end})
    if (!ends->empty() && ends->shape() != Shape{labels})
      fail(op, ends == &chain.start ? "start" : "end", " is ", ends->shape(), ", emissions ",
           emissions.shape(), "; expected (", labels, ",).");
  return emissions.shape();
}

RealElements real_steps(const char* op, const Shape& shape, const CrfOptions& options) {
  if (!options.mask.empty() && options.mask.shape() != Shape{shape[0], shape[1]})
    fail(op, "mask is ", options.mask.shape(), ", emissions ", shape, "; expected (", shape[0],
         ", ", shape[1], ").");
  return RealElements(op, {shape[0], shape[1]}, options.lengths, options.mask);
}

const Size* row(const Array& mask, Size t) { return mask.data<Size>() + t * mask.size(1); }

}  // namespace

CrfSteps::CrfSteps(const char* op, const LinearChain& chain, const CrfOptions& options)
    : count(checked_shape(op, chain)[0]), batch(chain.emissions.size(1)),
      labels(chain.emissions.size(2)), real(real_steps(op, chain.emissions.shape(), options)),
      is_real({count, batch, 1}, int64), first(is_real.copy()), last(is_real.copy()),
      later(is_real.copy()), without({batch}, int64) {
  Size *at = is_real.mutable_data<Size>(), *firsts = first.mutable_data<Size>(),
       *lasts = last.mutable_data<Size>(), *laters = later.mutable_data<Size>();
  for (Size b = 0; b < batch; ++b) {
    Size before = -1;
    for (Size t = 0; t < count; ++t) {
      Size i = t * batch + b;
      if (!real[i]) continue;
      at[i] = 1;
      (before < 0 ? firsts : laters)[i] = 1;
      before = i;
    }
    if (before >= 0) lasts[before] = 1;
    without.mutable_data<Size>()[b] = before < 0;
  }
}

Variable CrfSteps::where_real(Size t, const Variable& after, const Variable& before) const {
  const Size* at = row(is_real, t);
  if (std::all_of(at, at + batch, [](Size one) { return one != 0; })) return after;
  return chosen(is_real, t, after, before);
}

bool CrfSteps::any(const Array& mask, Size t) {
  const Size* at = row(mask, t);
  return std::any_of(at, at + mask.size(1), [](Size one) { return one != 0; });
}

Variable CrfSteps::chosen(const Array& mask, Size t, const Variable& a, const Variable& b) {
  return where(mask[t], a, b);
}

}  // namespace unroll
