import{a,b}from"./chunk-IDRKI3HX.js";import"./chunk-QHO5H65C.js";export{a as Push,b as renewPush};
