//! What composing costs. `cargo nextest run -p glass --release --run-ignored all speed --no-capture`
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::cast_precision_loss, reason = "for people")]

mod support;

use ipc::glass::*;
use support::*;

#[test]
#[ignore = "prints times"]
fn speed_of_composing() {
    for size in [32, 300, 960] {
        let mut bench = Bench::new(1024, 1024);
        bench.client(1);
        let window = bench.window(1, 1, wish(20, 40, size, size));
        bench.draw(window, 0xff_ff00);
        let rounds = 500;
        let mut time = std::time::Duration::ZERO;
        for _ in 0..rounds {
            bench.hear(1, FromRenderer::Want).unwrap();
            bench.now += REFRESH;
            bench.turn();
            let paper = bench.papers.get_mut(&ClassId(1)).unwrap();
            let number = paper.asked.take().unwrap();
            let drawn = vec![paper.paint(window, |x, y| x * y).unwrap()];
            let done = FromRenderer::Done { number, drawn, more: false };
            let begun = std::time::Instant::now();
            bench.glass.hear(ClassId(1), done, bench.now).unwrap();
            assert!(bench.glass.turn(bench.now).is_some());
            time += begun.elapsed();
        }
        println!("{size}x{size}: {:.1} us a frame", time.as_secs_f64() * 1e6 / f64::from(rounds));
    }
}
