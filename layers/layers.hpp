// Everything in layers/: modules, cells and loops over time, optimisers, saving. Ops and the engine
// have umbrellas of their own.
#pragma once

#include <unroll/layers/attention.hpp>
#include <unroll/layers/beam_search.hpp>
#include <unroll/layers/cells/conv_lstm.hpp>
#include <unroll/layers/cells/coupled_lstm.hpp>
#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/gru_reset_before.hpp>
#include <unroll/layers/cells/indrnn.hpp>
#include <unroll/layers/cells/layer_norm_lstm.hpp>
#include <unroll/layers/cells/leaky.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/cells/mgu.hpp>
#include <unroll/layers/cells/multiplicative_rnn.hpp>
#include <unroll/layers/cells/peephole_lstm.hpp>
#include <unroll/layers/cells/recurrent_highway.hpp>
#include <unroll/layers/cells/sru.hpp>
#include <unroll/layers/clip.hpp>
#include <unroll/layers/crf.hpp>
#include <unroll/layers/dropout.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/gradient_flow.hpp>
#include <unroll/layers/init.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/module.hpp>
#include <unroll/layers/optimiser.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/parallel.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/layers/recurrent_options.hpp>
#include <unroll/layers/save.hpp>
#include <unroll/layers/schedule.hpp>
#include <unroll/layers/state.hpp>
