//! ringway-turn
