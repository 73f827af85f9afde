// Golden group `crf`: likelihoods, marginals and best paths of linear-chain CRFs.
#include "run.hpp"

#include <unroll/ops/crf.hpp>
#include <unroll/ops/elementwise.hpp>

namespace golden {
namespace {

using namespace unroll;

void run_crf(Run& run) {
  run.differentiate([&] {
    LinearChain chain{run.in("emissions"), run.parameter("transitions"), {}, {}};
    if (run.has_parameter("start")) chain.start = run.parameter("start");
    if (run.has_parameter("end")) chain.end = run.parameter("end");
    const CrfOptions options{.lengths = run.sizes("lengths")};
    run.out("log_partition", crf_log_partition(chain, options));
    run.out("score", crf_score(chain, run.in("tags"), options));
    run.out("nll", -crf_log_likelihood(chain, run.in("tags"), options));
    const CrfMarginals marginals = crf_marginals(chain, options);
    run.out("marginals", marginals.labels);
    run.out("pair_marginals", marginals.pairs);
    const CrfPaths best = crf_viterbi(chain, options);
    run.out("viterbi_path", best.paths);
    run.out("viterbi_score", best.scores);
    run.out("second_best_score", crf_viterbi_best(chain, 2, options).scores.value()[1]);
  });
}

const Handler handler{"crf", run_crf};

}  // namespace
}  // namespace golden
