use super::PidFile;

const STARTING: &str = "4711\n/data\n1795225874\n5432\n.\n127.0.0.1\n 10076260         9\nstarting\n";

#[test]
fn the_state_is_read_from_its_line() {
    assert_eq!(
        PidFile::parse(STARTING),
        Some(PidFile {
            pid: 4711,
            ready: false
        })
    );
    let ready = STARTING.replace("starting", "ready   ");
    assert_eq!(PidFile::parse(&ready), Some(PidFile { pid: 4711, ready: true }));
}

#[test]
fn a_file_that_is_being_written_is_not_ready() {
    assert_eq!(
        PidFile::parse("4711\n/data\n"),
        Some(PidFile {
            pid: 4711,
            ready: false
        })
    );
    assert_eq!(PidFile::parse(""), None);
}

#[test]
fn a_number_that_names_no_single_process_is_none() {
    for text in ["0\n", "-1\n", "-4711\n", "1\n", "99999999999\n", "postgres\n"] {
        assert_eq!(PidFile::parse(text), None, "{text:?}");
    }
}
