//! Faults for the differential programme (`fuzz`) to find: a check that nothing fails is no evidence.
//!
//! Where a fault is planted, the code says `planted!(Defect, what is wrong, what is right)`. Without the feature `planted`
//! that *is* what is right: nothing else is compiled. With it, one defect at a time can be made active in the process.
//! The feature is for the `fuzz` command alone. No crate may depend on it, as features are shared by all that is built
//! together.

/// `planted!(Defect, bad, good)`: `good`, unless this defect is active.
#[cfg(not(feature = "planted"))]
#[macro_export]
macro_rules! planted {
    ($Defect:ident, $bad:expr, $good:expr $(,)?) => {
        $good
    };
}

/// `planted!(Defect, bad, good)`: `good`, unless this defect is active.
#[cfg(feature = "planted")]
#[macro_export]
macro_rules! planted {
    ($Defect:ident, $bad:expr, $good:expr $(,)?) => {
        if $crate::planted::is_active($crate::planted::Defect::$Defect) { $bad } else { $good }
    };
}

#[cfg(feature = "planted")]
pub use active::{Defect, activate, is_active};

#[cfg(feature = "planted")]
mod active {
    use core::sync::atomic::{AtomicU32, Ordering};

    macro_rules! defects {
        ($( $(#[doc = $doc:literal])+ $Name:ident; )*) => {
            /// A fault that can be made active.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[repr(u32)]
            pub enum Defect { $( $(#[doc = $doc])+ $Name ),* }

            impl Defect {
                /// All of them.
                pub const ALL: &'static [Defect] = &[ $( Defect::$Name ),* ];

                /// What is wrong.
                #[must_use]
                pub fn what(self) -> &'static str {
                    match self { $( Defect::$Name => concat!($( $doc ),+).trim_ascii() ),* }
                }
            }
        };
    }

    defects! {
        /// V02: a greater minor version is accepted.
        MinorVersionIgnored;
        /// V03: word 2 is not compared with the length.
        LengthIgnored;
        /// V03: programs may be too long.
        LengthLimitIgnored;
        /// V04: word 3 is not looked at.
        ReservedIgnored;
        /// V07, V10: bits of the register mask are not compared with the operands.
        MaskUnchecked;
        /// V09: what is written may be a constant.
        WrittenConstant;
        /// V18 to V25: any op may stand anywhere.
        PlaceUnchecked;
        /// V08: there is a register 32, for ops of few operands.
        Register32;
        /// V13: a jump may lead to its own last word.
        JumpIntoItself;
        /// V14: a jump may lead one word past the end.
        JumpPastEnd;
        /// V15: jumps may lead into instructions.
        JumpIntoMiddle;
        /// V16: jumps may lead between begin and end.
        JumpIntoPrimitive;
        /// V17: jumps may lead into lists.
        JumpIntoList;
        /// V21: a program may end in a primitive.
        EndForgotten;
        /// V26: a program may end in a list.
        EndListForgotten;
        /// Register work goes on across jump targets.
        WorkAcrossTarget;
        /// What an instruction reads counts as written by it.
        ReadAfterWrite;
        /// A primitive with a material counts as plain.
        PlainMaterial;
        /// Vertices after assembly are not counted.
        AssembledForgotten;
        /// What jumps may skip counts as done in each run.
        AllUnconditional;
        /// V35: one list more than allowed.
        OneListMore;
        /// Programs that read the time do not say so.
        TimeForgotten;
        /// The cost of end_list is forgotten.
        EndListForFree;
        /// V11: values near those of a set are accepted.
        AnyEnumerant;
        /// V11: bits that a set lacks are accepted.
        AnyBits;
        /// V11: 2 is a Bool.
        BoolOfTwo;
        /// V12: 0 is the name of a list.
        ListZero;
        /// V27: a matrix stack may be one deeper than it is.
        StackOneDeeper;
        /// V28: the matrix at entry may be popped.
        StackBelowEntry;
        /// V29: the texture stack of unit 1 may be left deeper.
        Texture1Unbalanced;
        /// V30: depths of the projection stack are not compared.
        ProjectionNotJoined;
        /// V31: the matrix mode stays known where paths meet.
        ModeNotJoined;
        /// V31: the texture unit stays known where paths meet.
        UnitNotJoined;
        /// V32: lists may be called with unit 1.
        CallWithAnyUnit;
        /// How deep stacks get is forgotten.
        PeakForgotten;
        /// V33: NaN is a shininess.
        ShininessOfNan;
        /// A spot cutoff of 90 is refused.
        CutoffBelow90;
        /// A width or height of 0 is refused.
        EmptySizeRefused;
        /// V34: mipmap filters magnify.
        MagnifiedByLevels;
        /// V33: a volume may be empty in its depth.
        EqualSides;
        /// V36: the attribute stack may be one deeper than it is.
        AttributesOneDeeper;
        /// V38: attributes may stay pushed.
        AttributesLeft;
        /// pop_attrib of all of the scissor restores none of it.
        ScissorNotRestored;
        /// V39: what is pushed is not compared where paths meet.
        AttributesNotJoined;
        /// Of two paths the cost of one is taken.
        CheaperPath;
        /// What one path writes counts as always written.
        WrittenOnOnePath;
        /// A clear after drawing counts as opening.
        ClearAfterDrawing;
        /// Only the first buffer is named.
        BufferZeroOnly;
        /// V35: one over the budget is accepted.
        OneOverBudget;
        /// Vertices of arrays are not counted as uploaded.
        ArraysForFree;
        /// A line loop counts as a strip.
        LoopNotClosed;
        /// Decoding: the sixteenth operand is never a register.
        SixteenthConstant;
        /// Encoding: the mask has 14 bits.
        MaskCut;
        /// Decoding: operands may be missing.
        EndForgottenInDecode;
        /// Layout: first page and pages of an extent are swapped.
        ExtentSwapped;
        /// Layout: a window drawn off-screen counts as a popup.
        PopupIsOffscreen;
        /// Layout: the upper half of an event's time is lost.
        TimeHalved;
        /// Layout: rows of chroma are rounded down.
        ChromaRowsDown;
        /// Attributes that wait for a begin are not done before a register of theirs is written.
        AttributeAfterWrite;
        /// What a segment reads is not put in place before it is written.
        WriteInSegment;
        /// A segment stays open across a jump target.
        JumpIntoSegment;
        /// Commands after a jump target join those before it.
        CommandsAcrossTarget;
        /// Integers from registers are not converted.
        IntNotConverted;
        /// Jumps lead to the target after theirs.
        NextTarget;
        /// Calls of lists are not charged.
        ListForFree;
        /// All lists cost what the first one does.
        FirstListCost;
        /// Arrays draw as many vertices as they have.
        ArraysNotAssembled;
        /// All vertices have the color that is set between them.
        ColorForAll;
        /// Texture coordinates come from the register of the word before.
        NeighbourRegister;
        /// An attribute loses the value that its register had.
        CaptureForgotten;
        /// Vertices take values that their registers have later.
        PatchesTooLate;
        /// Vertices have the material before theirs.
        RecordBefore;
        /// Attributes from registers are lost after their segment.
        ExitNotPatched;
        /// Primitives of all kinds are one segment.
        LinesAndTriangles;
        /// A constant does not take the place of a register.
        RegisterStays;
        /// Primitives of words have no registers.
        WordsWithoutRegisters;
        /// A material between constant primitives changes nothing.
        MaterialForAll;
        /// Constant texture coordinates are those of the other unit.
        UnitsSwapped;
        /// Vertices of two coordinates have none that divides them.
        PointAtInfinity;
        /// Each triangle of a strip is wound like the first.
        StripWinding;
        /// A line without its end is drawn.
        OddLine;
        /// Quads are cut by the other diagonal.
        QuadDiagonal;
        /// A flat polygon has the color of its last vertex.
        PolygonColor;
        /// Attributes before a primitive of registers are lost.
        WaitingDropped;
        /// The second choice of select is a constant.
        SelectOfConstant;
        /// The interpreter yields an instruction later than native code.
        YieldsLater;
        /// Lists are nested one deeper than allowed.
        NestedTooDeep;
        /// The last unit of fuel is refused.
        FuelOneLess;
        /// Lists may draw any number of vertices.
        VerticesUnlimited;
        /// Negative integers from registers are 0.
        IntsUnsigned;
        /// A list that was suspended goes on a step too late.
        ListGoesOnLater;
        /// The normal after a segment of registers is the constant one.
        NormalAtExit;
        /// A list that is defined again stays as it was.
        ListUndefined;
        /// Work before a jump is not counted at its target.
        JumpAroundYields;
        /// Long runs of commands have no yield points.
        CommandsWithoutYields;
        /// Jumps lead past the step in front of which a yield point may be.
        TargetsMovedTooFar;
        /// Native: NaNs are not canonical.
        AnyNan;
        /// Native: a store that only one path needs is dropped.
        StaleOnOnePath;
        /// Native: registers are not stored before a list that may stop the run.
        StopWithoutStores;
        /// Native: registers are not stored where the run is suspended.
        PauseWithoutStores;
        /// Native: yield points between steps are missed.
        YieldsForgotten;
        /// Native: register work has no yield points.
        WorkYieldsForgotten;
        /// Native: register work goes on at its beginning.
        PauseElsewhere;
        /// Native: le is lt.
        LessForLessOrEqual;
        /// Native: ne does not hold for a NaN.
        NotEqualNan;
        /// Native: a NaN is taken for canonical when it is moved.
        CleanMov;
        /// Native: min takes the first of equals.
        MinOfEquals;
        /// Native: registers are not stored before vertices take them.
        PatchReadsForgotten;
        /// The interpreter goes on a step too late.
        YieldSkipsStep;
        /// The cache does not compare words, and looks at most of them only.
        StaleHit;
        /// The cache does not tell callbacks apart.
        AnyCallback;
        /// What is cached is given to clients that may not have it.
        BudgetNotAsked;
    }

    /// The active one; [`NONE`] for none.
    static ACTIVE: AtomicU32 = AtomicU32::new(NONE);
    const NONE: u32 = u32::MAX;

    /// Makes a defect active, or none, in the whole process.
    pub fn activate(defect: Option<Defect>) {
        ACTIVE.store(defect.map_or(NONE, |defect| defect as u32), Ordering::SeqCst);
    }

    /// Is it the active one?
    #[must_use]
    #[inline]
    pub fn is_active(defect: Defect) -> bool {
        ACTIVE.load(Ordering::Relaxed) == defect as u32
    }
}
