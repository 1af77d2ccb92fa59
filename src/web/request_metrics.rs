//! Request counters: requests by route and status, refusals by code.
//!
//! Every worker has counters of its own, created with its routes, so that requests of different workers share nothing.
//! A route is identified by its pattern, so that the number of counters does not depend on the paths of requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;
use rogerrat_domain::Code;

/// The statuses the hub responds with; any other is counted as 0.
const STATUSES: [u16; 18] = [200, 202, 204, 304, 400, 401, 403, 404, 405, 409, 410, 413, 421, 429, 500, 503, 507, 0];
/// The route label of requests that match no route.
const UNMATCHED: &str = "(none)";

/// The responses of one worker on one route, by status.
#[derive(Debug, Default)]
struct StatusCounters([AtomicU64; STATUSES.len()]);

/// Extension of a response that reports a refusal in the format of another protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusalCode(pub(crate) Code);

/// The counters of one route, stored as app data of its resource.
#[derive(Clone, Debug)]
pub(crate) struct RouteCounters(Arc<StatusCounters>);

/// The counters of one worker that belong to no route.
#[derive(Clone, Debug)]
pub(crate) struct WorkerCounters {
    unmatched: RouteCounters,
    refusals: Arc<[AtomicU64; Code::ALL.len()]>,
}

/// The counters of all workers. Locked only when a worker starts and when totals are read.
#[derive(Debug, Default)]
pub(crate) struct RequestMetrics {
    routes: Mutex<Vec<(String, Arc<StatusCounters>)>>,
    workers: Mutex<Vec<WorkerCounters>>,
}

/// The sums over all workers.
#[derive(Debug, Default)]
pub(crate) struct RequestTotals {
    /// Requests by route and status; 0 stands for any other status.
    pub(crate) requests: BTreeMap<(String, u16), u64>,
    /// Refusals by code.
    pub(crate) refusals: Vec<(Code, u64)>,
}

impl RequestMetrics {
    /// Adds the counters of one worker for the route with this pattern.
    pub(crate) fn route_counters(&self, pattern: String) -> RouteCounters {
        let counters = Arc::new(StatusCounters::default());
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).push((pattern, counters.clone()));
        RouteCounters(counters)
    }

    /// Adds the counters of one worker that belong to no route.
    pub(crate) fn worker_counters(&self) -> WorkerCounters {
        let unmatched = self.route_counters(UNMATCHED.to_owned());
        let counters = WorkerCounters { unmatched, refusals: Arc::default() };
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(counters.clone());
        counters
    }

    /// Sums the counters of all workers. An unused route is included with 0 requests of status 200.
    pub(crate) fn totals(&self) -> RequestTotals {
        let mut requests = BTreeMap::new();
        for (pattern, counters) in self.routes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (status, count) in STATUSES.iter().zip(&counters.0) {
                let count = count.load(Relaxed);
                if count > 0 || *status == 200 {
                    *requests.entry((pattern.clone(), *status)).or_default() += count;
                }
            }
        }
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let refusals = |code: &Code| workers.iter().map(|worker| worker.refusals[*code as usize].load(Relaxed)).sum();
        RequestTotals { requests, refusals: Code::ALL.iter().map(|code| (*code, refusals(code))).collect() }
    }
}

/// Counts a request that has been answered, and the code it was refused with.
pub(crate) fn record(request: &HttpRequest, status: u16, refusal: Option<Code>) {
    let worker = || request.app_data::<WorkerCounters>();
    if let Some(route) = request.app_data::<RouteCounters>().or_else(|| worker().map(|worker| &worker.unmatched)) {
        let at = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        route.0.0[at].fetch_add(1, Relaxed);
    }
    if let (Some(code), Some(worker)) = (refusal, worker()) {
        worker.refusals[code as usize].fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::problem;

    #[test]
    fn every_status_of_an_error_is_counted_separately() {
        for (at, code) in Code::ALL.into_iter().enumerate() {
            assert!(STATUSES.contains(&problem::status(code).as_u16()), "{}", code.as_str());
            assert_eq!(code as usize, at, "codes are counted by their index");
        }
    }

    #[test]
    fn totals_are_the_sum_of_all_workers() {
        let metrics = RequestMetrics::default();
        for n in [2, 3] {
            metrics.route_counters("/x/{id}".into()).0.0[0].fetch_add(n, Relaxed);
            metrics.worker_counters().refusals[Code::NotFound as usize].fetch_add(n, Relaxed);
        }
        let totals = metrics.totals();
        assert_eq!(totals.requests[&("/x/{id}".to_owned(), 200)], 5);
        assert!(totals.refusals.contains(&(Code::NotFound, 5)));
        assert!(
            !totals.requests.contains_key(&("/x/{id}".to_owned(), 404)),
            "a status that never occurred is left out"
        );
    }
}
