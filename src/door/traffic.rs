//! How much passes the front door: requests by route and status, refusals by code.
//!
//! Every worker counts in rows of its own, made when its routes are; nothing is shared on the way of a request. A route
//! is known by its pattern, so that the rows are as many as the routes, whatever paths are asked for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;
use rogerrat_domain::Code;

/// The statuses the hub answers with; any other is counted as one of the rest.
const STATUSES: [u16; 18] = [200, 202, 204, 304, 400, 401, 403, 404, 405, 409, 410, 413, 421, 429, 500, 503, 507, 0];
/// What is asked for where there is no route.
const NOWHERE: &str = "(none)";

/// What one worker has answered on one route.
#[derive(Debug, Default)]
struct Row([AtomicU64; STATUSES.len()]);

/// Left on a response that carries a refusal without being an error of HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused(pub(crate) Code);

/// A row, as the resource of its route holds it.
#[derive(Clone, Debug)]
pub(crate) struct Lane(Arc<Row>);

/// What one worker counts beside its routes.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    nowhere: Lane,
    refused: Arc<[AtomicU64; Code::ALL.len()]>,
}

/// All rows of all workers. Locked when a worker starts and when somebody looks.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    rows: Mutex<Vec<(String, Arc<Row>)>>,
    desks: Mutex<Vec<Desk>>,
}

/// What came through the door so far.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// Requests by route and status; status 0 stands for the rest.
    pub(crate) requests: BTreeMap<(String, u16), u64>,
    /// Refusals by code.
    pub(crate) refused: Vec<(Code, u64)>,
}

impl Traffic {
    /// A lane for the route with this pattern, for one worker.
    pub(crate) fn lane(&self, pattern: String) -> Lane {
        let row = Arc::new(Row::default());
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push((pattern, row.clone()));
        Lane(row)
    }

    /// The desk of one worker.
    pub(crate) fn desk(&self) -> Desk {
        let desk = Desk { nowhere: self.lane(NOWHERE.to_owned()), refused: Arc::default() };
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).push(desk.clone());
        desk
    }

    /// Sums what the workers have counted. A route nobody has used yet is told with none of status 200.
    pub(crate) fn passed(&self) -> Passed {
        let mut requests = BTreeMap::new();
        for (pattern, row) in self.rows.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (status, count) in STATUSES.iter().zip(&row.0) {
                let count = count.load(Relaxed);
                if count > 0 || *status == 200 {
                    *requests.entry((pattern.clone(), *status)).or_default() += count;
                }
            }
        }
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |code: &Code| desks.iter().map(|desk| desk.refused[*code as usize].load(Relaxed)).sum();
        Passed { requests, refused: Code::ALL.iter().map(|code| (*code, refused(code))).collect() }
    }
}

/// Counts an answered request, and why it was refused if it was.
pub(crate) fn count(request: &HttpRequest, status: u16, refused: Option<Code>) {
    let desk = || request.app_data::<Desk>();
    if let Some(lane) = request.app_data::<Lane>().or_else(|| desk().map(|desk| &desk.nowhere)) {
        let at = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        lane.0.0[at].fetch_add(1, Relaxed);
    }
    if let (Some(code), Some(desk)) = (refused, desk()) {
        desk.refused[code as usize].fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::problem;

    #[test]
    fn every_status_of_an_error_has_a_row_of_its_own() {
        for (at, code) in Code::ALL.into_iter().enumerate() {
            assert!(STATUSES.contains(&problem::status(code).as_u16()), "{}", code.as_str());
            assert_eq!(code as usize, at, "codes are counted by their place");
        }
    }

    #[test]
    fn workers_count_apart_and_are_told_together() {
        let traffic = Traffic::default();
        for n in [2, 3] {
            traffic.lane("/x/{id}".into()).0.0[0].fetch_add(n, Relaxed);
            traffic.desk().refused[Code::NotFound as usize].fetch_add(n, Relaxed);
        }
        let passed = traffic.passed();
        assert_eq!(passed.requests[&("/x/{id}".to_owned(), 200)], 5);
        assert!(passed.refused.contains(&(Code::NotFound, 5)));
        assert!(!passed.requests.contains_key(&("/x/{id}".to_owned(), 404)), "what never was is not told");
    }
}
