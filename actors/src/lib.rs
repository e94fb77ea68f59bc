//! ringway-actors
