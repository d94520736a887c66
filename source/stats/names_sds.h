// The stats of a secret that comes from outside the bootstrap, under Envoy's names.
#pragma once

#include "stats/stats.h"

namespace sluice::stats {

// Prefix "sds.NAME.".
// clang-format off
#define SLUICE_SDS_STATS(X) \
  X(kCounter, kInitFetchTimeout, "init_fetch_timeout") X(kCounter, kKeyRotationFailed, "key_rotation_failed") \
  X(kCounter, kUpdateAttempt, "update_attempt") X(kCounter, kUpdateFailure, "update_failure") \
  X(kCounter, kUpdateRejected, "update_rejected") X(kCounter, kUpdateSuccess, "update_success") \
  X(kGauge, kUpdateTime, "update_time") X(kGauge, kVersion, "version")
// clang-format on
SLUICE_STAT_BLOCK(SdsStat, SLUICE_SDS_STATS)

}  // namespace sluice::stats
