// The loss of SampledSoftmax, sampled or exact; see sampled_softmax.hpp.
#include <unroll/layers/sampled_softmax.hpp>

#include <unroll/ops/random.hpp>

namespace unroll {

Variable SampledSoftmax::loss(const Variable& h, const Variable& targets,
                              const LossOptions& how) const {
  if (!Tape::recording())
    return cross_entropy((*this)(h), targets,
                         {.lengths = how.lengths, .mask = how.mask, .reduction = how.reduction});
  Generator* generator = Tape::generator();
  if (!generator)
    fail("sampled_softmax", detail::kNoGenerator);
  ClassSample sample =
      sample_classes(options.samples, classes, *generator, {.sampler = options.sampler});
  return sampled_softmax_loss(h, W, b, targets, sample, how);
}

}  // namespace unroll
