use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::reconcile::Refusal;

const SECOND: Duration = Duration::from_secs(1);

fn item(name: &str) -> NamedResource {
    NamedResource {
        id: format!("{name}-id"),
        name: name.to_owned(),
        last_modified: None,
    }
}

/// What Connect does with the next read.
#[derive(Clone, Copy)]
enum Connect {
    Lists(&'static str),
    ListsAfter(Duration, &'static str),
    Hangs,
    Fails,
    Refuses,
}

struct Setup {
    cache: Arc<Cache>,
    reads: AtomicUsize,
}

impl Setup {
    fn new() -> Self {
        Self {
            cache: Cache::new("ListThings"),
            reads: AtomicUsize::new(0),
        }
    }

    /// The first name of the list, or the code of the failure; and the seconds that it took.
    async fn get(&self, need: Need, connect: Connect) -> (Result<String, String>, u64) {
        let began = Instant::now();
        let read = || {
            self.reads.fetch_add(1, Ordering::Relaxed);
            async move {
                match connect {
                    Connect::Lists(name) => Ok(vec![item(name)]),
                    Connect::ListsAfter(time, name) => {
                        tokio::time::sleep(time).await;
                        Ok(vec![item(name)])
                    }
                    Connect::Hangs => pending().await,
                    Connect::Fails => Err(Failure::Transient("ServiceUnavailable".to_owned())),
                    Connect::Refuses => {
                        Err(Failure::Refused(Refusal::Misconfigured(String::new())))
                    }
                }
            }
        };
        let got = self.cache.get(need, began + 8 * SECOND, read).await;
        let got = match got {
            Ok(list) => Ok(list.items[0].name.clone()),
            Err(Failure::Transient(code)) => Err(code),
            Err(Failure::Refused(refusal)) => Err(refusal.code().to_owned()),
        };
        (got, began.elapsed().as_secs())
    }

    async fn reads_list(&self, name: &'static str) {
        let got = self.get(Need::Known, Connect::Lists(name)).await;
        assert_eq!(got, (ok(name), 0));
    }

    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

fn ok(name: &str) -> Result<String, String> {
    Ok(name.to_owned())
}

fn failed(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_again_when_it_is_older_than_the_need_allows() {
    for (need, fresh, old) in [(Need::Known, 299, 300), (Need::New, 9, 10)] {
        let setup = Setup::new();
        assert_eq!(setup.get(need, Connect::Lists("a")).await, (ok("a"), 0));
        tokio::time::advance(fresh * SECOND).await;
        assert_eq!(setup.get(need, Connect::Lists("b")).await, (ok("a"), 0));
        tokio::time::advance((old - fresh) * SECOND).await;
        assert_eq!(setup.get(need, Connect::Lists("b")).await, (ok("b"), 0));
        assert_eq!(setup.reads(), 2, "{need:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_never_read_fails_by_the_deadline() {
    let setup = Setup::new();
    for need in [Need::Known, Need::New] {
        assert_eq!(
            setup.get(need, Connect::Hangs).await,
            (failed("ListThingsOutOfTime"), 8)
        );
        setup.cache.forget();
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_list_is_used_after_a_short_wait_while_the_read_goes_on() {
    let setup = Setup::new();
    setup.reads_list("old").await;
    tokio::time::advance(TIME_TO_LIVE).await;

    let slow = Connect::ListsAfter(3 * SECOND, "new");
    let began = Instant::now();
    assert_eq!(setup.get(Need::Known, slow).await.0, ok("old"));
    assert_eq!(began.elapsed(), PATIENCE);

    tokio::time::advance(2 * SECOND).await;
    tokio::task::yield_now().await;
    assert_eq!(setup.get(Need::Known, Connect::Hangs).await, (ok("new"), 0));
    assert_eq!(setup.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_list_is_not_waited_for_longer_than_the_deadline() {
    let setup = Setup::new();
    setup.reads_list("old").await;
    tokio::time::advance(TIME_TO_LIVE).await;
    let began = Instant::now();
    let list = setup.cache.get(Need::Known, began + SECOND, pending).await;
    assert!(list.is_ok());
    assert_eq!(began.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_missing_is_not_looked_for_in_an_old_list() {
    let setup = Setup::new();
    setup.reads_list("old").await;
    tokio::time::advance(TIME_TO_LIVE).await;
    assert_eq!(
        setup.get(Need::New, Connect::Hangs).await,
        (failed("ListThingsOutOfTime"), 8)
    );
    assert_eq!(
        setup.get(Need::Known, Connect::Hangs).await,
        (ok("old"), 1),
        "the read is still in progress"
    );
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_time_share_one_read() {
    let setup = Setup::new();
    let slow = Connect::ListsAfter(2 * SECOND, "a");
    let (first, second) = tokio::join!(setup.get(Need::Known, slow), setup.get(Need::New, slow));
    assert_eq!((first.0, second.0), (ok("a"), ok("a")));
    assert_eq!(setup.reads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_read_for_a_request_is_new_enough_for_it() {
    let setup = Setup::new();
    let need = Need::Within(Duration::ZERO);
    let slow = Connect::ListsAfter(2 * SECOND, "a");
    assert_eq!(setup.get(need, slow).await, (ok("a"), 2));
    assert_eq!(setup.reads(), 1);
    // A read that began before the request is not.
    let later = async {
        tokio::time::sleep(SECOND).await;
        setup.get(need, slow).await
    };
    let (first, second) = tokio::join!(setup.get(need, slow), later);
    assert_eq!((first, second), ((ok("a"), 2), (ok("a"), 3)));
    assert_eq!(setup.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_as_old_as_the_beginning_of_its_read() {
    let setup = Setup::new();
    let slow = Connect::ListsAfter(6 * SECOND, "a");
    assert_eq!(setup.get(Need::New, slow).await, (ok("a"), 6));
    tokio::time::advance(3 * SECOND).await;
    let again = Connect::Lists("b");
    assert_eq!(setup.get(Need::New, again).await, (ok("a"), 0));
    tokio::time::advance(SECOND).await;
    assert_eq!(setup.get(Need::New, again).await, (ok("b"), 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_read_the_next_one_waits() {
    let setup = Setup::new();
    let failure = failed("ServiceUnavailable");
    for need in [Need::Known, Need::New, Need::Known] {
        assert_eq!(setup.get(need, Connect::Fails).await, (failure.clone(), 0));
    }
    tokio::time::advance(9 * SECOND).await;
    assert_eq!(setup.get(Need::Known, Connect::Lists("a")).await.0, failure);
    assert_eq!(setup.reads(), 1);
    tokio::time::advance(SECOND).await;
    assert_eq!(setup.get(Need::Known, Connect::Lists("a")).await.0, ok("a"));

    tokio::time::advance(TIME_TO_LIVE).await;
    for _ in 0..3 {
        assert_eq!(setup.get(Need::Known, Connect::Fails).await, (ok("a"), 0));
    }
    assert_eq!(setup.get(Need::New, Connect::Fails).await, (failure, 0));
    assert_eq!(setup.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_read_is_reported_although_there_is_an_old_list() {
    let setup = Setup::new();
    setup.reads_list("old").await;
    tokio::time::advance(TIME_TO_LIVE).await;
    for _ in 0..2 {
        assert_eq!(
            setup.get(Need::Known, Connect::Refuses).await,
            (failed("Misconfigured"), 0)
        );
    }
    assert_eq!(setup.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_list_is_read_again_and_a_read_from_before_is_ignored() {
    let setup = Setup::new();
    setup.reads_list("old").await;
    setup.cache.forget();
    assert_eq!(
        setup.get(Need::Known, Connect::Lists("new")).await.0,
        ok("new")
    );

    setup.cache.forget();
    let stale = setup.get(Need::Known, Connect::ListsAfter(2 * SECOND, "stale"));
    let forgetting = async {
        tokio::time::sleep(SECOND).await;
        setup.cache.forget();
        setup
            .get(Need::Known, Connect::ListsAfter(2 * SECOND, "newest"))
            .await
    };
    let (stale, newest) = tokio::join!(stale, forgetting);
    assert_eq!((stale.0, newest.0), (ok("newest"), ok("newest")));
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(setup.get(Need::Known, Connect::Hangs).await.0, ok("newest"));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_takes_too_long_does_not_block_the_next_one() {
    let setup = Setup::new();
    drop(setup.get(Need::Known, Connect::Hangs).await);
    tokio::time::advance(LONGEST_READ - 8 * SECOND).await;
    assert_eq!(
        setup.get(Need::Known, Connect::Lists("a")).await,
        (ok("a"), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_reads_again_what_was_forgotten_while_it_was_read() {
    let setup = Setup::new();
    let read = setup.get(Need::Known, Connect::ListsAfter(2 * SECOND, "a"));
    let forgetting = async {
        tokio::time::sleep(SECOND).await;
        setup.cache.forget();
    };
    let (read, ()) = tokio::join!(read, forgetting);
    assert_eq!(read, (ok("a"), 4));
    assert_eq!(setup.reads.load(Ordering::Relaxed), 2);
}
